import { TestClock } from '../testing/test-clock.js';
import { EventQueue, SLOW_MS } from './event-queue.js';

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
      onDropped: ({ name }) => told.push(`dropped ${name}`),
    });
  });

  it('runs what is pushed, and tells how it ended', async () => {
    queue.push({ name: 'a', run: () => 1 });
    queue.push({
      name: 'b',
      run: () => {
        throw new Error('b');
      },
    });
    queue.push({ name: 'c', run: () => Promise.reject(new Error('c')) });
    await TestClock.settle();
    expect(told.toSorted()).toEqual(['done a', 'failed b Error: b', 'failed c Error: c']);
    expect(queue.pending).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs a bounded number at a time, in order', async () => {
    const started: number[] = [];
    const ends: (() => void)[] = [];
    for (let i = 0; i < 40; i++) {
      const run = (): Promise<void> => {
        started.push(i);
        return new Promise((resolve) => ends.push(resolve));
      };
      queue.push({ name: `${i}`, run });
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

  it('lets others pass what hangs', async () => {
    const hang = (): Promise<never> => new Promise(() => undefined);
    for (let i = 0; i < 32; i++) queue.push({ name: 'hangs', run: hang });
    queue.push({ name: 'next', run: () => undefined });
    await TestClock.settle();
    expect(told).toEqual([]);
    await clock.advance(SLOW_MS);
    expect(told.filter((line) => line === 'slow hangs')).toHaveLength(32);
    expect(told).toContain('done next');
  });

  it('drops what is too much, and says so', () => {
    const hang = (): Promise<never> => new Promise(() => undefined);
    for (let i = 0; i < 32 + 10_000 + 1; i++) queue.push({ name: 'x', run: hang });
    expect(told).toEqual(['dropped x']);
    expect(queue.pending).toBe(10_032);
  });

  it('waits for what runs and what is announced, and not for ever', async () => {
    let isDrained = false;
    const announced = queue.announce();
    const drained = queue.drained(3_000).then(() => (isDrained = true));
    await clock.advance(1_000);
    expect(isDrained).toBe(false);
    queue.push({ name: 'a', run: () => undefined });
    announced();
    await drained;
    expect(told).toEqual(['done a']);
    expect(clock.pendingTimers).toBe(0);

    queue.push({ name: 'hangs', run: () => new Promise(() => undefined) });
    const late = queue.drained(3_000);
    await clock.advance(3_000);
    await late;
  });

  it('has nothing to wait for when nothing runs', async () => {
    await queue.drained(3_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
