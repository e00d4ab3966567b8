import { AsyncLocalStorage } from 'node:async_hooks';
import { TestClock } from '../testing/test-clock.js';
import { EventQueue, MAX_WAITING, SLOW_MS, type EventJob } from './event-queue.js';

const hang = (): Promise<never> => new Promise(() => undefined);

describe('EventQueue', () => {
  let clock: TestClock;
  let queue: EventQueue;
  let told: string[];
  beforeEach(() => {
    clock = new TestClock();
    told = [];
    queue = new EventQueue({
      clock,
      onDone: ({ name }) => told.push(`done ${name}`),
      onFailed: ({ name }, error) => told.push(`failed ${name} ${String(error)}`),
      onSlow: ({ name }) => told.push(`slow ${name}`),
    });
  });

  function push(...jobs: EventJob[]): void {
    const reservation = queue.reserve(jobs.length);
    if (!reservation) throw new Error('the queue is full');
    reservation.fill(jobs);
  }

  it('runs jobs and reports how each ended', async () => {
    push({ name: 'a', run: () => 1 });
    push({
      name: 'b',
      run: () => {
        throw new Error('b');
      },
    });
    push({ name: 'c', run: () => Promise.reject(new Error('c')) });
    await TestClock.settle();
    expect(told.toSorted()).toEqual(['done a', 'failed b Error: b', 'failed c Error: c']);
    expect(queue.pending).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs 32 jobs at a time, in order', async () => {
    const started: number[] = [];
    const ends: (() => void)[] = [];
    for (let i = 0; i < 40; i++) {
      const run = (): Promise<void> => {
        started.push(i);
        return new Promise((resolve) => ends.push(resolve));
      };
      push({ name: `${i}`, run });
    }
    expect(started).toHaveLength(32);
    ends[0]?.();
    await TestClock.settle();
    expect(started).toHaveLength(33);
    for (const end of ends) end();
    await TestClock.settle();
    for (const end of ends) end();
    await TestClock.settle();
    expect(started).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(queue.pending).toBe(0);
  });

  it('runs other jobs after jobs that hang have run for 30 s', async () => {
    for (let i = 0; i < 32; i++) push({ name: 'hangs', run: hang });
    push({ name: 'next', run: () => undefined });
    await TestClock.settle();
    expect(told).toEqual([]);
    await clock.advance(SLOW_MS);
    expect(told.filter((line) => line === 'slow hangs')).toHaveLength(32);
    expect(told).toContain('done next');
  });

  it('G runs jobs outside the async context in which they were pushed', async () => {
    const context = new AsyncLocalStorage<string>();
    let seen: string | undefined = 'nothing ran';
    context.run('the request', () => push({ name: 'a', run: () => (seen = context.getStore()) }));
    await TestClock.settle();
    expect(seen).toBeUndefined();
  });

  describe('reservations', () => {
    it('H9 are refused when the queue is full, and granted when there is room again', async () => {
      const ends: (() => void)[] = [];
      const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
      push(...Array.from({ length: 32 }, () => ({ name: 'runs', run })));
      for (let i = 0; i < MAX_WAITING; i++) push({ name: 'waits', run: hang });
      expect(queue.reserve(1)).toBeUndefined();
      expect(queue.reserve(0)).toBeDefined();
      ends[0]?.();
      await TestClock.settle();
      const room = queue.reserve(1);
      expect(room).toBeDefined();
      expect(queue.reserve(1)).toBeUndefined();
      room?.cancel();
      expect(queue.reserve(1)).toBeDefined();
      expect(queue.pending).toBe(31 + MAX_WAITING);
    });

    it('are filled or cancelled once', async () => {
      const job = { name: 'a', run: () => undefined };
      const reservation = queue.reserve(1);
      reservation?.fill([job]);
      reservation?.fill([job]);
      reservation?.cancel();
      const cancelled = queue.reserve(1);
      cancelled?.cancel();
      cancelled?.fill([job]);
      await TestClock.settle();
      expect(told).toEqual(['done a']);
    });
  });

  describe('drained()', () => {
    it('waits for jobs and for reservations', async () => {
      let abandoned: number | undefined;
      const reservation = queue.reserve(1);
      const drained = queue.drained(3_000).then((count) => (abandoned = count));
      await clock.advance(1_000);
      expect(abandoned).toBeUndefined();
      reservation?.fill([{ name: 'a', run: () => undefined }]);
      await drained;
      expect(told).toEqual(['done a']);
      expect(abandoned).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    });

    it('waits for a cancelled reservation no longer', async () => {
      const reservation = queue.reserve(1);
      const drained = queue.drained(3_000);
      reservation?.cancel();
      expect(await drained).toBe(0);
    });

    it('H9 ends after the grace and tells how many jobs did not', async () => {
      push(...Array.from({ length: 40 }, () => ({ name: 'hangs', run: hang })));
      push({ name: 'a', run: () => undefined });
      const drained = queue.drained(3_000);
      await clock.advance(3_000);
      expect(await drained).toBe(41);
    });

    it('returns at once when nothing runs', async () => {
      expect(await queue.drained(3_000)).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    });
  });
});
