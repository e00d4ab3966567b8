import { LRUCache } from 'lru-cache';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type RecordStore, type StoredRead } from '../store/record-store.js';
import { type Clock } from '../time/clock.js';
import { type TenantGate } from '../tokens/tenant-gate.js';

/** Whether a tenant lets a store app work for it. */
export type TenantStatus = 'enabled' | 'stopped';

/** What an event said, and when, by Feishu's clock in epoch milliseconds. */
export interface DatedStatus {
  readonly status: TenantStatus;
  readonly at: number;
}

/**
 * A stop is remembered this long. Every earlier token has expired then, and Feishu itself refuses the tenant. It ends
 * at all, because a lost "start" event must not lock a tenant out forever.
 */
export const STATUS_TTL_MS = 24 * 60 * 60_000;
/** An event time further ahead than this is cut: otherwise it would override later events. */
const MAX_AHEAD_MS = 5 * 60_000;
/** How many statuses one process remembers, for when the store does not answer. */
const MAX_LOCAL_STATUSES = 10_000;

/** @internal */
export interface TenantStatusesDependencies {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly keyOf: (tenantKey: string) => string;
}

/** The last status of each tenant, by its events; each has its own key in the store. The event with the later time wins. */
export class TenantStatuses implements TenantGate {
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

  async refusalOf(tenantKey: string): Promise<FeishuAuthError | undefined> {
    await this.lookUp(tenantKey);
    return this.isKnownStopped(tenantKey) ? tenantStopped(tenantKey) : undefined;
  }

  /** Without a look into the store. */
  isKnownStopped(tenantKey: string): boolean {
    return this.known.get(tenantKey)?.status === 'stopped';
  }

  /** @returns false when a later status is known */
  learn(tenantKey: string, dated: DatedStatus): boolean {
    const known = this.known.get(tenantKey);
    if (known && known.at >= dated.at) return false;
    this.known.set(tenantKey, { status: dated.status, at: this.clamped(dated.at) });
    return true;
  }

  /** Learns a status and stores it for the other processes. */
  async announce(tenantKey: string, dated: DatedStatus): Promise<void> {
    // Before the store answers, so that this process acts at once.
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

  /** The statuses that this process knows. */
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

/** The error for callers of a tenant that stopped or uninstalled the app. */
export function tenantStopped(tenantKey: string): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_TENANT_REJECTED',
    `tenant ${tenantKey} has stopped or uninstalled the app; it gets tokens again after it enables the app`,
  );
}
