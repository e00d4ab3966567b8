import { type Clock, type TimerOptions } from './clock.js';
import { onAbort } from './on-abort.js';

/**
 * Settles like `work`, or rejects with `onTimeout()` after `ms`. A later result or rejection of `work` is ignored.
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
    // Wait one more turn: after a blocked event loop, the answer may have arrived before the timer fires.
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
 * Settles like `work`, or rejects with `signal.reason` when the signal is aborted.
 *
 * @internal
 */
export function withSignal<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    Promise.resolve(work).then(resolve, reject).finally(stopListening);
  });
}
