import { LRUCache } from 'lru-cache';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type RecordStore, type StoredRead } from '../store/record-store.js';
import { type Clock } from '../time/clock.js';

/** Whether a tenant lets a store app work for it. */
export type TenantStatus = 'enabled' | 'stopped';

/** As its event said, and when, by the platform's clock in epoch milliseconds. */
export interface DatedStatus {
  readonly status: TenantStatus;
  readonly at: number;
}

/**
 * A stop is remembered this long. By then every token of before has died, and the platform itself refuses the tenant;
 * a "start" event that was lost must not lock a tenant out for ever.
 */
export const STATUS_TTL_MS = 24 * 60 * 60_000;
/** A platform whose clock is further ahead than this must not silence what it says next. */
const MAX_AHEAD_MS = 5 * 60_000;
/** What one process remembers itself, for when the store does not answer. */
const MAX_LOCAL_STATUSES = 10_000;

/** @internal */
export interface TenantStatusesDependencies {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly keyOf: (tenantKey: string) => string;
}

/** What tenants' events said last, each under its own key in the store. The later event wins, however late it comes. */
export class TenantStatuses {
  private readonly known: LRUCache<string, DatedStatus>;

  constructor(private readonly deps: TenantStatusesDependencies) {
    const { clock } = deps;
    this.known = new LRUCache({
      max: MAX_LOCAL_STATUSES,
      ttl: STATUS_TTL_MS,
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
    });
  }

  /** By the store or, where it says nothing later, by what this process knows. */
  async isStopped(tenantKey: string): Promise<boolean> {
    await this.lookUp(tenantKey);
    return this.isKnownStopped(tenantKey);
  }

  /** Without a look into the store. */
  isKnownStopped(tenantKey: string): boolean {
    return this.known.get(tenantKey)?.status === 'stopped';
  }

  /** Takes over a status of whatever origin. False when a later one is known. */
  learn(tenantKey: string, dated: DatedStatus): boolean {
    const known = this.known.get(tenantKey);
    if (known && known.at >= dated.at) return false;
    this.known.set(tenantKey, { status: dated.status, at: this.clamped(dated.at) });
    return true;
  }

  /** The same, for the fleet. */
  async announce(tenantKey: string, dated: DatedStatus): Promise<void> {
    // Here at once, whatever the store takes.
    const isNews = this.learn(tenantKey, dated);
    const learned = this.known.get(tenantKey);
    const stored = await this.lookUp(tenantKey);
    if (stored === 'newer' || !isNews || this.known.get(tenantKey) !== learned) return;
    const { records, keyOf } = this.deps;
    await records.write(
      keyOf(tenantKey),
      { secret: dated.status, obtainedAt: this.clamped(dated.at) },
      STATUS_TTL_MS,
    );
  }

  /** What this process knows. */
  entries(): IterableIterator<[string, DatedStatus]> {
    return this.known.entries();
  }

  private clamped(at: number): number {
    return Math.min(at, this.deps.clock.now() + MAX_AHEAD_MS);
  }

  private async lookUp(tenantKey: string): Promise<StoredRead> {
    const { records, keyOf } = this.deps;
    const stored = await records.read(keyOf(tenantKey));
    if (typeof stored !== 'object') return stored;
    const { secret: status, obtainedAt: at } = stored;
    if (status === 'enabled' || status === 'stopped') this.learn(tenantKey, { status, at });
    return stored;
  }
}

/** What callers get for a tenant that has stopped or uninstalled the app. */
export function tenantStopped(tenantKey: string): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_TENANT_REJECTED',
    `the tenant ${tenantKey} has stopped or uninstalled the app: it is served again once it enables it`,
  );
}
