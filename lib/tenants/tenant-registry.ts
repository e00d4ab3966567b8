import { type RecordStore } from '../store/record-store.js';
import { UNAVAILABLE } from '../store/shared-store.js';
import { type Clock } from '../time/clock.js';
import {
  parseRegistryRecord,
  serializeRegistryRecord,
  type TenantRegistryRecord,
} from './tenant-registry-record.js';
import { STATUS_TTL_MS, type TenantStatuses } from './tenant-statuses.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';

/** The record is written again when a tenant's last use is this much later: not every sweep needs a write. */
const WORTH_WRITING_MS = 10 * 60_000;
/** Parsing the record of thousands of tenants holds up the event loop: an unchanged record is parsed this often. */
const SAME_RECORD_MS = WORTH_WRITING_MS / 2;
/** The record ends when the app is gone. Every write of any process renews it. */
const RECORD_TTL_MS = 7 * 24 * 60 * 60_000;

const UNMERGED = { text: undefined, at: -Infinity } as const;

/** @internal */
export interface TenantRegistryDependencies {
  readonly key: string;
  readonly records: RecordStore;
  readonly statuses: TenantStatuses;
  readonly clock: Clock;
  readonly maxTenants: number;
}

/**
 * The tenants in use, in one record that all processes merge at their sweeps: a new process knows which tenants to
 * pre-warm. When two processes write at once, one write is lost; the next sweep writes it again.
 */
export class TenantRegistry {
  /** When any process used a tenant last, epoch milliseconds. */
  private readonly usedAt = new Map<string, number>();
  private lastWriteAt = -Infinity;
  private mergeStartedAt = -Infinity;
  private hasNews = false;
  /** The record's text at the last merge, and when that was, on the monotonic clock. */
  private merged: { readonly text: string | undefined; readonly at: number } = UNMERGED;

  constructor(private readonly deps: TenantRegistryDependencies) {}

  /** An event says that the tenant is in use. */
  touch(tenantKey: string): void {
    this.usedAt.set(tenantKey, this.deps.clock.now());
    this.hasNews = true;
  }

  forget(tenantKey: string): void {
    this.usedAt.delete(tenantKey);
    this.hasNews = true;
  }

  /** Whether any process used the tenant within `idleAfterMs`. */
  isInUse(tenantKey: string, idleAfterMs: number): boolean {
    return this.deps.clock.now() - (this.usedAt.get(tenantKey) ?? -Infinity) <= idleAfterMs;
  }

  /** The tenants in use that are wanted, the last used one first. */
  inUse(isWanted: (tenantKey: string) => boolean = () => true): string[] {
    // Filtered before they are sorted: most sweeps want next to none of thousands.
    const wanted = [...this.usedAt.keys()].filter(isWanted);
    const at = (tenantKey: string): number => this.usedAt.get(tenantKey) ?? -Infinity;
    return wanted.toSorted((a, b) => at(b) - at(a));
  }

  /**
   * Merges what this process saw with what the store has, forgets idle tenants, and writes if there is news.
   *
   * @returns the tenants whose status changed, by what other processes stored
   */
  async merge(slots: Iterable<TokenSlot>, idleAfterMs: number): Promise<string[]> {
    const { records, key, clock } = this.deps;
    const since = this.mergeStartedAt;
    this.mergeStartedAt = clock.monotonic();
    this.noteReads(slots, since);
    const stored = await records.read(key);
    const text = typeof stored === 'object' ? stored.secret : undefined;
    if (stored === 'newer' || this.isMerged(text)) {
      this.dropIdle(idleAfterMs);
      return [];
    }
    this.merged = { text, at: this.mergeStartedAt };
    const record = text === undefined ? undefined : parseRegistryRecord(text);
    const changed = this.mergeStatuses(record);
    this.mergeUses(record);
    this.dropIdle(idleAfterMs);
    if (this.hasNews || this.isRecordOld()) await this.write(record);
    return changed;
  }

  private noteReads(slots: Iterable<TokenSlot>, since: number): void {
    const { clock } = this.deps;
    const wallToMonotonic = clock.now() - clock.monotonic();
    for (const { tenantKey, kept, readAt } of slots) {
      // Only a token proves that the tenant exists: callers may pass an invented tenant key.
      if (tenantKey === undefined || !kept || readAt < since) continue;
      const before = this.usedAt.get(tenantKey);
      if (before === undefined) this.merged = UNMERGED;
      // The time of the read, not of this sweep: the last sweep may be long ago.
      this.usedAt.set(tenantKey, Math.max(readAt + wallToMonotonic, before ?? -Infinity));
    }
  }

  /** Whether neither the store nor this process has news since the last merge. */
  private isMerged(text: string | undefined): boolean {
    const isSame = text !== undefined && text === this.merged.text;
    return isSame && !this.hasNews && this.mergeStartedAt - this.merged.at < SAME_RECORD_MS;
  }

  private mergeStatuses(record: TenantRegistryRecord | undefined): string[] {
    const { statuses } = this.deps;
    const changed: string[] = [];
    for (const [tenantKey, dated] of record?.statuses ?? []) {
      if (!statuses.learn(tenantKey, dated)) continue;
      changed.push(tenantKey);
      if (statuses.isKnownStopped(tenantKey)) this.usedAt.delete(tenantKey);
    }
    return changed;
  }

  private mergeUses(record: TenantRegistryRecord | undefined): void {
    const now = this.deps.clock.now();
    for (const [tenantKey, at] of record?.usedAt ?? []) {
      if (this.deps.statuses.isKnownStopped(tenantKey)) continue;
      // The writer's clock may be ahead.
      const usedAt = Math.min(at, now);
      if (usedAt > (this.usedAt.get(tenantKey) ?? -Infinity)) this.usedAt.set(tenantKey, usedAt);
    }
    // Write what the record lacks, except if it is full: then the others would leave it out again.
    const isFull = (record?.usedAt.size ?? 0) >= this.deps.maxTenants;
    for (const [tenantKey, at] of this.usedAt) {
      const before = record?.usedAt.get(tenantKey) ?? (isFull ? at : -Infinity);
      if (at - before >= WORTH_WRITING_MS) this.hasNews = true;
    }
  }

  private dropIdle(idleAfterMs: number): void {
    const before = this.deps.clock.now() - idleAfterMs;
    for (const [tenantKey, at] of this.usedAt) if (at < before) this.usedAt.delete(tenantKey);
    if (this.usedAt.size <= this.deps.maxTenants) return;
    const surplus = this.inUse().slice(this.deps.maxTenants);
    for (const tenantKey of surplus) this.usedAt.delete(tenantKey);
  }

  private isRecordOld(): boolean {
    return this.usedAt.size > 0 && this.deps.clock.monotonic() - this.lastWriteAt > RECORD_TTL_MS / 2;
  }

  private async write(record: TenantRegistryRecord | undefined): Promise<void> {
    const { records, key, statuses, clock } = this.deps;
    const now = clock.now();
    const merged = new Map(record?.statuses);
    for (const [tenantKey, dated] of statuses.entries()) merged.set(tenantKey, dated);
    for (const [tenantKey, { at }] of merged) if (now - at > STATUS_TTL_MS) merged.delete(tenantKey);
    const secret = serializeRegistryRecord({ usedAt: this.usedAt, statuses: merged });
    // Before the write: what happens during the write is not in the record.
    this.hasNews = false;
    const written = await records.write(key, { secret, obtainedAt: now }, RECORD_TTL_MS);
    if (written === UNAVAILABLE) {
      this.hasNews = true;
      return;
    }
    this.merged = { text: secret, at: this.mergeStartedAt };
    this.lastWriteAt = clock.monotonic();
  }
}
