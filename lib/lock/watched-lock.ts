import { innermostReason } from '../errors/innermost-reason.js';
import { claimOn } from './claim-key.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from './refresh-lock.js';

const PROBE_TTL_MS = 1_000;

/** The lock of the options, and whether it works: for the log and for health. */
export class WatchedLock extends RefreshLock {
  readonly #lock: RefreshLock;
  readonly #onChange: (problem: string | undefined) => void;
  #lastFailure: string | undefined;
  #reported: string | undefined;

  /** @param onChange called when the lock stops working, with the reason, and when it works again, with `undefined` */
  constructor(lock: RefreshLock, onChange: (problem: string | undefined) => void) {
    super();
    this.#lock = lock;
    this.#onChange = onChange;
  }

  override problem(): string | undefined {
    return this.#lock.problem ? this.#lock.problem() : this.#lastFailure;
  }

  async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const lease = await this.#watched(() => this.#lock.acquire(key, options));
    return lease && { isHeld: () => lease.isHeld(), release: () => this.#watched(() => lease.release()) };
  }

  override claim(key: string, ttlMs: number): Promise<boolean> {
    return this.#watched(() => claimOn(this.#lock, key, ttlMs));
  }

  /** Tries a lock that did not work; otherwise only the next renewal would tell that it works again. Never rejects. */
  async probe(key: string): Promise<void> {
    if (this.problem() === undefined) return;
    const lease = await this.acquire(key, { ttlMs: PROBE_TTL_MS, waitMs: 0 }).catch(() => undefined);
    await lease?.release();
  }

  async #watched<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.#lastFailure = undefined;
      return answer;
    } catch (error) {
      this.#lastFailure = innermostReason(error);
      throw error;
    } finally {
      this.#report();
    }
  }

  #report(): void {
    const problem = this.problem();
    if ((problem === undefined) === (this.#reported === undefined)) return;
    this.#reported = problem;
    this.#onChange(problem);
  }
}
