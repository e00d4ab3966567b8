import { Clock, type ClockTimer, type TimerOptions } from './clock.js';

/** Above this a Node timer fires at once instead of late. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const clamp = (ms: number): number => Math.min(Math.max(ms, 0), MAX_DELAY_MS);

/**
 * The machine's own clocks and timers.
 *
 * @internal
 */
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
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
