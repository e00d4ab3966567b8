import { getEventListeners } from 'node:events';
import { stat } from 'node:fs/promises';
import { TestClock } from '../testing/test-clock.js';
import { type ClockTimer, type TimerOptions } from './clock.js';
import { withDeadline, withSignal } from './deadline.js';
import { SystemClock } from './system-clock.js';

class RememberingClock extends TestClock {
  readonly asked: (TimerOptions | undefined)[] = [];

  override setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): ClockTimer {
    this.asked.push(options);
    return super.setTimeout(callback, delayMs);
  }
}

const never = new Promise<never>(() => undefined);
const LATE = new Error('late');

describe('withDeadline', () => {
  let clock: RememberingClock;
  beforeEach(() => {
    clock = new RememberingClock();
  });
  afterEach(() => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(clock.pendingTimers).toBe(0);
  });

  it('resolves as the work does', async () => {
    expect(await withDeadline(clock, Promise.resolve('done'), 100, () => LATE)).toBe('done');
  });

  it('rejects as the work does', async () => {
    const failed = new Error('failed');
    await expect(withDeadline(clock, Promise.reject(failed), 100, () => LATE)).rejects.toBe(failed);
  });

  it('accepts any thenable', async () => {
    const done = Promise.resolve('done');
    // oxlint-disable-next-line unicorn/no-thenable -- the subject of this test
    expect(await withDeadline(clock, { then: done.then.bind(done) }, 100, () => LATE)).toBe('done');
  });

  it('rejects with the result of onTimeout at the deadline and not before', async () => {
    let outcome: unknown = 'none yet';
    void withDeadline(clock, never, 100, () => LATE).catch((error: unknown) => (outcome = error));
    await clock.advance(99);
    expect(outcome).toBe('none yet');
    await clock.advance(1);
    expect(outcome).toBe(LATE);
  });

  it('creates no timeout error for work that is in time', async () => {
    let made = 0;
    const work = withDeadline(clock, clock.sleep(99), 100, () => made++);
    await clock.advance(200);
    await work;
    expect(made).toBe(0);
  });

  it.each([
    ['resolves', (resolve: (value: string) => void) => resolve('late')],
    ['rejects', (_: unknown, reject: (error: Error) => void) => reject(new Error('too late'))],
  ])('ignores work that %s after the deadline', async (_, settle) => {
    let end!: () => void;
    const work = new Promise<string>((resolve, reject) => (end = () => settle(resolve, reject)));
    const outcome = withDeadline(clock, work, 100, () => LATE);
    const caught = outcome.catch((error: unknown) => error);
    await clock.advance(100);
    expect(await caught).toBe(LATE);
    end();
    await TestClock.settle();
  });

  it('keeps the process alive only with ref: true', async () => {
    await withDeadline(clock, Promise.resolve(), 100, () => LATE);
    await withDeadline(clock, Promise.resolve(), 100, () => LATE, { ref: true });
    await clock.advance(0);
    expect(clock.asked).toEqual([undefined, { ref: true }]);
  });
});

describe('withSignal', () => {
  const reason = new Error('gave up');
  let controller: AbortController;
  beforeEach(() => {
    controller = new AbortController();
  });
  afterEach(async () => {
    await TestClock.settle();
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('resolves as the work does', async () => {
    expect(await withSignal(Promise.resolve('done'), controller.signal)).toBe('done');
  });

  it('rejects as the work does', async () => {
    const failed = new Error('failed');
    await expect(withSignal(Promise.reject(failed), controller.signal)).rejects.toBe(failed);
  });

  it('rejects with the reason when the signal is aborted', async () => {
    const waiting = withSignal(never, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('rejects immediately for an aborted signal, even if the work is done', async () => {
    controller.abort(reason);
    await expect(withSignal(Promise.resolve('done'), controller.signal)).rejects.toBe(reason);
  });

  it('ignores work that fails after the abort', async () => {
    let reject!: (error: Error) => void;
    const work = new Promise<never>((_, fail) => (reject = fail));
    const waiting = withSignal(work, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    reject(new Error('too late'));
  });
});

describe('withDeadline after a blocked event loop', () => {
  it('accepts an answer that arrived before the timer fired', async () => {
    // The file system answers while the event loop is blocked.
    const answer = withDeadline(new SystemClock(), stat('.'), 20, () => new Error('too late'));
    const until = performance.now() + 80;
    while (performance.now() < until);
    expect((await answer).isDirectory()).toBe(true);
  });
});
