import { type Clock, type TimerOptions } from './clock.js';

/**
 * Settles as `work` does, or rejects with `onTimeout()` after `ms`. `work` that settles later is ignored, its
 * rejection included: what never answers must cost its caller the deadline and nothing more.
 *
 * @internal
 */
export function withDeadline<T>(
  clock: Clock,
  work: PromiseLike<T>,
  ms: number,
  onTimeout: () => unknown,
  options?: TimerOptions,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // One more turn: in a process that was kept busy or stopped the answer may be there, unread, when the timer fires.
    const expire = (): void => {
      timer = clock.setTimeout(() => reject(onTimeout()), 0, options);
    };
    let timer = clock.setTimeout(expire, ms, options);
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/**
 * Settles as `work` does, or rejects with `signal.reason` as soon as the signal is aborted.
 *
 * @internal
 */
export function withSignal<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
