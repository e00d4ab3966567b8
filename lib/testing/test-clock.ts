import { Clock, type ClockTimer } from '../time/clock.js';

interface Scheduled {
  at: number;
  order: number;
  periodMs?: number;
  callback: () => void;
}

/**
 * A clock that moves only when told to. Timers fire in order of their due time as the monotonic clock passes it.
 *
 * @example
 * const clock = new TestClock();
 * await clock.advance(90 * 60_000);      // both clocks, timers fire
 * clock.jumpWall(-3_600_000);            // an operator set the wall clock back
 * clock.suspend(3_600_000);              // the machine slept: only the wall clock moved
 *
 * @publicApi
 */
export class TestClock extends Clock {
  private wallMs: number;
  private monotonicMs = 1_000;
  private suspendedMs = 0;
  private order = 0;
  private readonly timers = new Set<Scheduled>();

  /** @param startAt epoch milliseconds of the wall clock */
  constructor(startAt = Date.UTC(2026, 0, 1)) {
    super();
    this.wallMs = startAt;
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  /**
   * Milliseconds since some fixed point by a clock that no one sets and that goes on while the machine sleeps: the time
   * of all others.
   */
  trueTime(): number {
    return this.monotonicMs + this.suspendedMs;
  }

  /** How many timers are waiting: 0 after everything was closed, or something leaks. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  setTimeout(callback: () => void, delayMs: number): ClockTimer {
    return this.schedule({ at: this.monotonicMs + Math.max(0, delayMs), order: this.order++, callback });
  }

  setInterval(callback: () => void, periodMs: number): ClockTimer {
    return this.schedule({ at: this.monotonicMs + periodMs, order: this.order++, periodMs, callback });
  }

  private schedule(timer: Scheduled): ClockTimer {
    this.timers.add(timer);
    return { handle: timer, cancel: () => void this.timers.delete(timer) };
  }

  /**
   * Moves both clocks by `ms`, firing what falls due on the way, with the promises between two timers settled
   * before the next one fires.
   */
  async advance(ms: number): Promise<void> {
    const target = this.monotonicMs + ms;
    await TestClock.settle();
    for (;;) {
      const next = this.nextDue(target);
      if (!next) break;
      this.moveTo(Math.max(next.at, this.monotonicMs));
      if (next.periodMs === undefined) this.timers.delete(next);
      else next.at += next.periodMs;
      next.callback();
      await TestClock.settle();
    }
    this.moveTo(target);
    await TestClock.settle();
  }

  /** Sets the wall clock forward or back without time passing. */
  jumpWall(ms: number): void {
    this.wallMs += ms;
  }

  /** The machine slept: the wall clock went on, the monotonic clock and the timers did not. */
  suspend(ms: number): void {
    this.wallMs += ms;
    this.suspendedMs += ms;
  }

  /** Lets every promise that can settle without time passing settle. */
  static async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  private nextDue(target: number): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const timer of this.timers) {
      if (timer.at > target) continue;
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }

  private moveTo(monotonicMs: number): void {
    this.wallMs += monotonicMs - this.monotonicMs;
    this.monotonicMs = monotonicMs;
  }
}
