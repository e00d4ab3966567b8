/**
 * A timer that can be called off.
 *
 * @publicApi
 */
export interface ClockTimer {
  /** What the runtime's own `clearInterval` would take, for registries that clear timers themselves. */
  readonly handle: unknown;
  /** Calls the timer off. Does nothing when it has fired or was called off before. */
  cancel(): void;
}

/**
 * @publicApi
 */
export interface TimerOptions {
  /** `true` where a caller awaits the outcome: such a timer keeps the process alive. @default false */
  ref?: boolean;
}

/**
 * Wall clock, monotonic clock and timers; abstract, so that every race and every clock jump has a deterministic test.
 * Used as the DI token of the clock.
 *
 * @publicApi
 */
export abstract class Clock {
  /** Wall clock, in epoch milliseconds. Can jump either way. */
  abstract now(): number;
  /** Milliseconds since some fixed point. Never goes back, but may stand still while the machine sleeps. */
  abstract monotonic(): number;
  /**
   * The wall clock at the moment when `monotonic()` gave `monotonic`, for whoever compares both at every read. A clock
   * may answer with a reading of less than a millisecond before.
   */
  wallAt(_monotonic: number): number {
    return this.now();
  }

  /** Calls back once after `delayMs` (clamped to what the runtime's timers can hold). */
  abstract setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): ClockTimer;
  /** Calls back every `periodMs` (clamped to what the runtime's timers can hold). */
  abstract setInterval(callback: () => void, periodMs: number, options?: TimerOptions): ClockTimer;

  /** Resolves after `delayMs`, at once when `signal` is aborted: the caller looks at the signal itself. */
  sleep(delayMs: number, signal?: AbortSignal, options?: TimerOptions): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.setTimeout(done, delayMs, options);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
