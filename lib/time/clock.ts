import { onAbort } from './on-abort.js';

/**
 * A timer that can be cancelled.
 *
 * @publicApi
 */
export interface ClockTimer {
  /** The runtime's timer object, for registries that call `clearInterval` themselves. */
  readonly handle: unknown;
  /** Cancels the timer. Has no effect on a timer that has fired or is cancelled. */
  cancel(): void;
}

/**
 * Options of a timer.
 *
 * @publicApi
 */
export interface TimerOptions {
  /** Whether the timer keeps the process alive. `true` if a caller awaits its outcome. @default false */
  ref?: boolean;
}

/**
 * Wall clock, monotonic clock and timers. A test replaces it to control time: it is also the injection token.
 *
 * @publicApi
 */
export abstract class Clock {
  /** Returns the wall clock in epoch milliseconds. It can jump in both directions. */
  abstract now(): number;
  /** Returns milliseconds since a fixed point. Never decreases, but may stop while the machine sleeps. */
  abstract monotonic(): number;
  /**
   * Returns the wall clock at the moment when `monotonic()` returned `monotonic`. Code that compares both clocks at every
   * read uses it. The reading may be up to one millisecond old.
   */
  wallAt(_monotonic: number): number {
    return this.now();
  }

  /** Calls `callback` once after `delayMs`, limited to the longest delay of the runtime's timers. */
  abstract setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): ClockTimer;
  /** Calls `callback` every `periodMs`, limited to the longest delay of the runtime's timers. */
  abstract setInterval(callback: () => void, periodMs: number, options?: TimerOptions): ClockTimer;

  /** Resolves after `delayMs`, or when `signal` is aborted: the caller checks the signal. */
  sleep(delayMs: number, signal?: AbortSignal, options?: TimerOptions): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        timer.cancel();
        stopListening?.();
        resolve();
      };
      const timer = this.setTimeout(done, delayMs, options);
      const stopListening = signal && onAbort(signal, done);
    });
  }
}
