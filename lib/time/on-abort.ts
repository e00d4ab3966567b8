/** The callbacks of each signal, behind one listener: a signal with more than ten listeners makes Node warn of a leak. */
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when `signal` is aborted, at once if it is aborted already.
 *
 * @returns removes the callback
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  let callbacks = callbacksOf.get(signal);
  if (!callbacks) {
    callbacks = new Set();
    callbacksOf.set(signal, callbacks);
    signal.addEventListener('abort', callAll, { once: true });
  }
  // Wrapped, so that the same function given twice counts twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => remove(signal, entry);
}

function callAll(this: unknown, { target }: Event): void {
  const signal = target as AbortSignal;
  const callbacks = callbacksOf.get(signal) ?? [];
  callbacksOf.delete(signal);
  for (const callback of callbacks) callback();
}

function remove(signal: AbortSignal, entry: () => void): void {
  const callbacks = callbacksOf.get(signal);
  if (!callbacks?.delete(entry) || callbacks.size > 0) return;
  callbacksOf.delete(signal);
  signal.removeEventListener('abort', callAll);
}
