import { Clock, type ClockTimer, type TimerOptions } from './clock.js';
import { monotonicMilliseconds } from './monotonic-milliseconds.js';

/** Above this a Node timer fires at once instead of late. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const clamp = (ms: number): number => Math.min(Math.max(ms, 0), MAX_DELAY_MS);

/** `Date.now()` itself is no finer. */
const WALL_RESOLUTION_MS = 1;

// Whoever puts others in their place, as fake timers do, is asked instead, and at every read.
const isFaked = !Function.prototype.toString.call(Date.now).includes('[native code]');
const ownWall = isFaked ? undefined : Date.now;
// oxlint-disable-next-line typescript/unbound-method -- never called, only compared
const { now: ownMonotonic } = performance;

/**
 * The machine's own clocks and timers. Every answer of `Date.now()` and `performance.now()` costs 16 bytes of the heap,
 * and the read of a token is to cost none.
 *
 * @internal
 */
export class SystemClock extends Clock {
  private seenWall = -Infinity;
  /** On the monotonic clock; later than now is never. */
  private seenAt = -Infinity;

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    if (Date.now === ownWall && performance.now === ownMonotonic) return monotonicMilliseconds();
    this.seenAt = Infinity;
    return performance.now();
  }

  /** Seen anew when a millisecond has passed: a machine that slept, or a clock that was set, shows by then. */
  override wallAt(monotonic: number): number {
    const ageMs = monotonic - this.seenAt;
    if (ageMs >= 0 && ageMs < WALL_RESOLUTION_MS) return this.seenWall;
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
