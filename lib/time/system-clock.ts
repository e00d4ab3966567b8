import { Clock, type ClockTimer, type TimerOptions } from './clock.js';

/** Above this a Node timer fires at once instead of late. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const clamp = (ms: number): number => Math.min(Math.max(ms, 0), MAX_DELAY_MS);

/** No finer than `Date.now()` itself: what it says next is at most this far off. */
const WALL_RESOLUTION_MS = 1;

// Whoever puts other functions in their place, as fake timers do, is asked instead, and at every read.
const { now: ownWall } = Date;
const { now: ownMonotonic } = performance;
const { hrtime } = process;
const isOwn = Function.prototype.toString.call(ownWall).includes('[native code]');

/** What makes `hrtime()` tell the time of `performance.now()`. */
const hrtimeOrigin = millisecondsOf(hrtime()) - performance.now();

/**
 * The machine's own clocks and timers. The engine puts every answer of `Date.now()` and `performance.now()` on the
 * heap, 16 bytes each; a read of a token is to cost none.
 *
 * @internal
 */
export class SystemClock extends Clock {
  private seenWall = -Infinity;
  /** On the monotonic clock. */
  private seenAt = -Infinity;

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    if (!isOwn || performance.now !== ownMonotonic) return performance.now();
    return millisecondsOf(hrtime()) - hrtimeOrigin;
  }

  /** Seen anew when a millisecond has passed: a machine that slept, or a clock that was set, shows by then. */
  override wallAt(monotonic: number): number {
    const isSeen = monotonic - this.seenAt < WALL_RESOLUTION_MS && isOwn && Date.now === ownWall;
    if (isSeen) return this.seenWall;
    this.seenAt = monotonic;
    this.seenWall = Date.now();
    return this.seenWall;
  }

  setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): ClockTimer {
    const handle = setTimeout(callback, clamp(delayMs));
    if (!options?.ref) handle.unref();
    return { handle, cancel: () => clearTimeout(handle) };
  }

  setInterval(callback: () => void, periodMs: number, options?: TimerOptions): ClockTimer {
    const handle = setInterval(callback, clamp(periodMs));
    if (!options?.ref) handle.unref();
    return { handle, cancel: () => clearInterval(handle) };
  }
}

/** Of an `hrtime()`, which puts nothing on the heap. */
function millisecondsOf(time: readonly [seconds: number, nanoseconds: number]): number {
  return time[0] * 1e3 + time[1] / 1e6;
}
