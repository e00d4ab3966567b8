import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock, type ClockTimer } from '../time/clock.js';
import { onAbort } from '../time/on-abort.js';
import { SystemClock } from '../time/system-clock.js';
import { assertLockOptions } from './lock-arguments.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from './refresh-lock.js';

const MAX_CLAIMS = 100_000;
const MIN_SWEEP_SIZE = 64;

/**
 * The default lock: mutual exclusion within this process, for everything that shares the instance. Other processes do
 * not see it. Written here because no maintained mutex has keys, leases that end and waits that can be aborted.
 *
 * Waiters get a key in the order in which they asked for it.
 *
 * @publicApi
 */
export class InProcessRefreshLock extends RefreshLock {
  private readonly keys = new Map<string, LockedKey>();
  /** When each claim ends, on the monotonic clock; the oldest first. */
  private readonly claims = new Map<string, number>();
  private readonly clock: Clock;
  private readonly maxClaims: number;
  private dropped = 0;
  private sweepAtSize = MIN_SWEEP_SIZE;

  /**
   * @param options.clock for tests. @default the clock of the machine
   * @param options.maxClaims how many claims to remember; beyond that the oldest are dropped. @default 100_000
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` if `maxClaims` is not a positive whole number
   */
  constructor({
    clock = new SystemClock(),
    maxClaims = MAX_CLAIMS,
  }: { clock?: Clock; maxClaims?: number } = {}) {
    super();
    if (!Number.isSafeInteger(maxClaims) || maxClaims < 1) {
      throw new FeishuAuthError(
        'ERR_FEISHU_CONFIG_INVALID',
        'InProcessRefreshLock: maxClaims must be a positive whole number',
      );
    }
    this.clock = clock;
    this.maxClaims = maxClaims;
  }

  /** How many claims were dropped before they ended, because there were more than `maxClaims`. */
  get droppedClaims(): number {
    return this.dropped;
  }

  async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    assertLockOptions(options);
    if (options.signal?.aborted) return undefined;
    const locked = this.keys.get(key) ?? this.addKey(key);
    return locked.acquire(options);
  }

  override async claim(key: string, ttlMs: number): Promise<boolean> {
    assertLockOptions({ ttlMs, waitMs: 0 });
    const now = this.clock.monotonic();
    this.dropEndedClaims(now);
    if ((this.claims.get(key) ?? -Infinity) > now) return false;
    this.claims.delete(key);
    if (this.claims.size >= this.maxClaims) this.dropOldestClaim();
    this.claims.set(key, now + ttlMs);
    return true;
  }

  private addKey(key: string): LockedKey {
    this.dropUnusedKeys();
    const locked = new LockedKey(this.clock, () => this.keys.delete(key));
    this.keys.set(key, locked);
    return locked;
  }

  /** Leases that are never released must not pile up. Looks when the number of keys has doubled. */
  private dropUnusedKeys(): void {
    if (this.keys.size < this.sweepAtSize) return;
    for (const [key, locked] of this.keys) if (!locked.isInUse()) this.keys.delete(key);
    this.sweepAtSize = Math.max(MIN_SWEEP_SIZE, 2 * this.keys.size);
  }

  private dropEndedClaims(now: number): void {
    for (const [key, endsAt] of this.claims) {
      if (endsAt > now) return;
      this.claims.delete(key);
    }
  }

  private dropOldestClaim(): void {
    for (const [oldest, endsAt] of this.claims) {
      this.claims.delete(oldest);
      if (endsAt > this.clock.monotonic()) this.dropped++;
      return;
    }
  }
}

interface Waiter {
  readonly ttlMs: number;
  readonly resolve: (lease: RefreshLease | undefined) => void;
}

/** One key: its lease, and those who wait for it. */
class LockedKey {
  private lease: Lease | undefined;
  private readonly waiters = new Set<Waiter>();
  private leaseEnd: ClockTimer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onUnused: () => void,
  ) {}

  acquire({ ttlMs, waitMs, signal }: RefreshLockOptions): Promise<RefreshLease | undefined> {
    this.handOn();
    if (!this.lease) return Promise.resolve(this.grant(ttlMs));
    if (waitMs === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (lease: RefreshLease | undefined): void => {
        giveUp.cancel();
        stopListening?.();
        this.waiters.delete(waiter);
        resolve(lease);
        this.watchLease();
      };
      const leave = (): void => end(undefined);
      const waiter: Waiter = { ttlMs, resolve: end };
      const giveUp = this.clock.setTimeout(() => {
        this.handOn();
        if (this.waiters.has(waiter)) leave();
      }, waitMs);
      const stopListening = signal && onAbort(signal, leave);
      this.waiters.add(waiter);
      this.watchLease();
    });
  }

  isInUse(): boolean {
    return this.waiters.size > 0 || this.lease?.isHeld() === true;
  }

  /** Gives a free key to the first that waits for it. */
  private handOn(): void {
    if (this.lease?.isHeld()) return;
    this.lease = undefined;
    for (const waiter of this.waiters) {
      waiter.resolve(this.grant(waiter.ttlMs));
      return;
    }
  }

  private grant(ttlMs: number): Lease {
    const lease = new Lease(this.clock, ttlMs, () => {
      if (this.lease !== lease) return;
      this.handOn();
      this.watchLease();
      if (!this.lease) this.onUnused();
    });
    this.lease = lease;
    return lease;
  }

  /** A lease that is not released ends by a timer, which only waiters need. */
  private watchLease(): void {
    this.leaseEnd?.cancel();
    this.leaseEnd = undefined;
    if (!this.lease || this.waiters.size === 0) return;
    this.leaseEnd = this.clock.setTimeout(() => this.handOn(), this.lease.remainingMs());
  }
}

class Lease implements RefreshLease {
  private readonly endsAt: number;
  private isReleased = false;

  constructor(
    private readonly clock: Clock,
    ttlMs: number,
    private readonly onRelease: () => void,
  ) {
    this.endsAt = clock.monotonic() + ttlMs;
  }

  isHeld(): boolean {
    return !this.isReleased && this.remainingMs() > 0;
  }

  remainingMs(): number {
    return this.endsAt - this.clock.monotonic();
  }

  release(): Promise<void> {
    if (!this.isReleased) {
      this.isReleased = true;
      this.onRelease();
    }
    return Promise.resolve();
  }
}
