import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { claimKey } from '../lock/claim-key.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { type Clock } from '../time/clock.js';

/** What one process remembers without the lock. */
const MAX_REMEMBERED = 10_000;

/** @internal */
export interface UsedStatesOptions {
  readonly lock: RefreshLock;
  readonly clock: Clock;
  /** How long a state can come back, in milliseconds. */
  readonly lifetimeMs: number;
  /** The lock's key for a digest. */
  readonly keyOf: (digest: string) => string;
}

/** The states that came back. A lease of the lock that is never released tells it to the other processes. */
export class UsedStates {
  private readonly seen: LRUCache<string, true>;

  constructor(private readonly options: UsedStatesOptions) {
    const { clock, lifetimeMs } = options;
    this.seen = new LRUCache({
      max: MAX_REMEMBERED,
      ttl: lifetimeMs,
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
    });
  }

  /** @returns whether this is the first use */
  async use(state: string): Promise<boolean> {
    const digest = createHash('sha256').update(state).digest('base64url');
    if (this.seen.has(digest)) return false;
    // Before the lock is asked: the same callback may come in twice at once.
    this.seen.set(digest, true);
    const { lock, clock, lifetimeMs, keyOf } = this.options;
    // Without an answer of the lock the login goes on: a code is good for one use at Feishu, too.
    return (await claimKey(lock, clock, keyOf(digest), lifetimeMs)) !== 'taken';
  }
}
