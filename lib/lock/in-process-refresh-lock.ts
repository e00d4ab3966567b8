import { SystemClock } from '../time/system-clock.js';
import { type Clock } from '../time/clock.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from './refresh-lock.js';

/**
 * The default lock: mutual exclusion among everything in this process that shares the instance. It knows nothing of
 * other processes. Our own, because no kept mutex has keys, leases that run out and waiting that can be given up.
 *
 * @publicApi
 */
export class InProcessRefreshLock extends RefreshLock {
  private readonly leases = new Map<string, Lease>();
  private readonly clock: Clock;
  /** No lease runs out before this: until then there is nothing to sweep. */
  private nextEnd = Infinity;
  private grantsSinceSweep = 0;

  /** @param options.clock for tests; the machine's own by default */
  constructor(options: { clock?: Clock } = {}) {
    super();
    this.clock = options.clock ?? new SystemClock();
  }

  async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const { ttlMs, waitMs, signal } = options;
    const giveUpAt = this.clock.monotonic() + waitMs;
    for (;;) {
      if (signal?.aborted) return undefined;
      const held = this.leases.get(key);
      if (!held?.isHeld()) return this.grant(key, ttlMs);
      const remaining = Math.min(giveUpAt - this.clock.monotonic(), held.remainingMs());
      if (giveUpAt <= this.clock.monotonic()) return undefined;
      await this.ended(held, remaining, signal);
    }
  }

  private grant(key: string, ttlMs: number): Lease {
    this.dropExpired();
    const lease = new Lease(this.clock, ttlMs, () => {
      if (this.leases.get(key) === lease) this.leases.delete(key);
    });
    this.leases.set(key, lease);
    this.nextEnd = Math.min(this.nextEnd, lease.endsAt);
    return lease;
  }

  /** Claims are never released; they must not pile up either. */
  private dropExpired(): void {
    if (this.clock.monotonic() < this.nextEnd) return;
    // A store app's claims run out one after the other: to look at all of them for each would be too much.
    if (this.grantsSinceSweep++ < Math.floor(this.leases.size / 16)) return;
    this.grantsSinceSweep = 0;
    this.nextEnd = Infinity;
    for (const [key, lease] of this.leases) {
      if (lease.isHeld()) this.nextEnd = Math.min(this.nextEnd, lease.endsAt);
      else this.leases.delete(key);
    }
  }

  private async ended(lease: Lease, atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    const abort = (): void => over.abort();
    signal?.addEventListener('abort', abort, { once: true });
    lease.onRelease(abort);
    await this.clock.sleep(atMostMs, over.signal);
    signal?.removeEventListener('abort', abort);
  }
}

class Lease implements RefreshLease {
  readonly endsAt: number;
  private released = false;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    ttlMs: number,
    private readonly free: () => void,
  ) {
    this.endsAt = clock.monotonic() + ttlMs;
  }

  isHeld(): boolean {
    return !this.released && this.remainingMs() > 0;
  }

  remainingMs(): number {
    return this.endsAt - this.clock.monotonic();
  }

  onRelease(listener: () => void): void {
    this.listeners.push(listener);
  }

  release(): Promise<void> {
    if (!this.released) {
      this.released = true;
      this.free();
      for (const listener of this.listeners) listener();
    }
    return Promise.resolve();
  }
}
