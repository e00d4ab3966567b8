import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { type RefreshLock } from './refresh-lock.js';

/** How long a lock may take to answer: two claims must fit into the three seconds that Feishu waits for a reply. */
const ANSWER_TIMEOUT_MS = 500;

/** `unanswered`: the lock failed or did not answer in time, so the caller has to decide alone. */
export type ClaimOutcome = 'claimed' | 'taken' | 'unanswered';

/** Claims `key` for `ttlMs`. Never rejects. */
export async function claimKey(
  lock: RefreshLock,
  clock: Clock,
  key: string,
  ttlMs: number,
): Promise<ClaimOutcome> {
  try {
    const asked = Promise.resolve().then(() => claimOn(lock, key, ttlMs));
    const isFirst = await withDeadline(clock, asked, ANSWER_TIMEOUT_MS, () => new Error('no answer'));
    return isFirst ? 'claimed' : 'taken';
  } catch {
    return 'unanswered';
  }
}

/** A lock without claims gives a lease that is never released. */
export async function claimOn(lock: RefreshLock, key: string, ttlMs: number): Promise<boolean> {
  if (lock.claim) return lock.claim(key, ttlMs);
  return (await lock.acquire(key, { ttlMs, waitMs: 0 })) !== undefined;
}
