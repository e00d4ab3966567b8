/**
 * How {@link RefreshLock.acquire} asks for a key. Durations are in milliseconds.
 *
 * @publicApi
 */
export interface RefreshLockOptions {
  /** How long the lease lives unless it is released first. Greater than 0. */
  ttlMs: number;
  /** How long to wait while another holder has the key. `0`: ask once, do not wait. */
  waitMs: number;
  /** Stops the wait: `acquire` then resolves with `undefined`. */
  signal?: AbortSignal;
}

/**
 * A key that this process holds.
 *
 * @publicApi
 */
export interface RefreshLease {
  /** `true` until the lease is released or its `ttlMs` is over. */
  isHeld(): boolean;
  /** Ends this lease, never the lease of another holder. Never rejects; a second call does nothing. */
  release(): Promise<void>;
}

/**
 * Lets one holder at a time have a key. The class is both the type and the injection token; an implementation extends it
 * and must pass `refreshLockConformance` of `nestjs-feishu-auth/testing`.
 *
 * The module uses a lock for two things:
 *
 * - a **lease**, which ends with `release()`: one process renews a token. The lock only saves calls to Feishu; a process
 *   that cannot get it renews without it.
 * - a **claim**, which cannot be given back: one process handles an event. Keys of claims and keys of leases differ.
 *
 * @publicApi
 */
export abstract class RefreshLock {
  /**
   * Takes `key` as a lease. A lease that is never released ends after `ttlMs`.
   *
   * A lease that is granted after the caller stopped waiting has no owner: the implementation must release it.
   *
   * @returns the lease; `undefined` if another holder had the key for all of `waitMs`, or `signal` was aborted
   * @throws if the lock could not be asked; the caller then goes on without it
   */
  abstract acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined>;

  /**
   * Takes `key` for `ttlMs`, with no way to give it back. Does not wait.
   *
   * A claim that is granted late stays, unlike a late lease: the caller may already have acted on it.
   *
   * Optional. Without this method the module calls {@link acquire} and never releases the lease.
   *
   * @returns `true` for the first caller; `false` until that claim ends
   * @throws if the lock could not be asked
   */
  claim?(key: string, ttlMs: number): Promise<boolean>;

  /**
   * Why the lock does not work at the moment, for the log and for health: the reason that the server gave.
   *
   * Optional. `undefined` if the lock works.
   */
  problem?(): string | undefined;
}
