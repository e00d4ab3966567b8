import { Clock, type ClockTimer, type TimerOptions } from './clock.js';
import { monotonicMilliseconds } from './monotonic-milliseconds.js';

/** The runtime fires a timer with a longer delay immediately. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const clamp = (ms: number): number => Math.min(Math.max(ms, 0), MAX_DELAY_MS);

/** The resolution of `Date.now()`. */
const WALL_RESOLUTION_MS = 1;

// If fake timers replace these functions, the clock calls the replacements at every read.
const isFaked = !Function.prototype.toString.call(Date.now).includes('[native code]');
const ownWall = isFaked ? undefined : Date.now;
// oxlint-disable-next-line typescript/unbound-method -- never called, only compared
const { now: ownMonotonic } = performance;

/**
 * The machine's clocks and timers. `Date.now()` and `performance.now()` allocate 16 bytes a call; a token read must
 * allocate nothing, so this class avoids them.
 *
 * @internal
 */
export class SystemClock extends Clock {
  private seenWall = -Infinity;
  /** On the monotonic clock. A time after now means that no reading is kept. */
  private seenAt = -Infinity;

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    if (Date.now === ownWall && performance.now === ownMonotonic) return monotonicMilliseconds();
    this.seenAt = Infinity;
    return performance.now();
  }

  /** Reads the wall clock again after one millisecond, so a clock that was set and a machine that slept are noticed. */
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
