import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

/** Whether `condition` came about within `limitMs`. Rejects when `signal` is aborted. */
export async function until(
  condition: () => boolean,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const giveUpAt = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) return false;
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}
