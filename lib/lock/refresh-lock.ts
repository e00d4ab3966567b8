/**
 * @publicApi
 */
export interface RefreshLockOptions {
  /** How long the lease lives unless released, in milliseconds. */
  ttlMs: number;
  /** How long to wait for somebody else's lease to end, in milliseconds. `0`: one look, no waiting. */
  waitMs: number;
  /** Gives up waiting: resolves `undefined`. */
  signal?: AbortSignal;
}

/**
 * A lock that is held.
 *
 * @publicApi
 */
export interface RefreshLease {
  /** Whether the lease is still ours: not released and not past its `ttlMs`. */
  isHeld(): boolean;
  /** Ends the lease if it is still ours, never somebody else's. Never rejects; a second call does nothing. */
  release(): Promise<void>;
}

/**
 * Mutual exclusion for one key at a time: an abstract class, so that it is both the type and the DI token.
 * An implementation must pass `refreshLockConformance` of `nestjs-feishu-auth/testing`.
 *
 * For app and tenant tokens the lock saves platform calls and guards nothing: whoever cannot have it goes on without.
 *
 * @publicApi
 */
export abstract class RefreshLock {
  /**
   * Resolves with the lease, or `undefined` when somebody else held the key for all of `waitMs` (or `signal` was
   * aborted). Rejects only when the lock could not be asked at all; the caller then goes on without it.
   * A lease that is never released is a claim that lasts `ttlMs`.
   */
  abstract acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined>;
}
