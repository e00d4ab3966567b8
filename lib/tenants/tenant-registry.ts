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

/** A tenant's last use is written down again when it is this much later: not every sweep needs a write. */
const WORTH_WRITING_MS = 10 * 60_000;
/** To parse the record of thousands of tenants holds up whoever reads: one that has not changed is looked into this often. */
const SAME_RECORD_MS = WORTH_WRITING_MS / 2;
/** Without an end the record would outlive the app; every sweep of any process puts it off. */
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
 * The tenants in use, in one record that all processes merge at their sweeps: a process that starts knows whom to
 * pre-warm. An update that two processes make at once loses one; the next sweep brings it back.
 */
export class TenantRegistry {
  /** When a tenant was used last by anybody, epoch milliseconds. */
  private readonly usedAt = new Map<string, number>();
  private lastWriteAt = -Infinity;
  private mergeStartedAt = -Infinity;
  private hasNews = false;
  /** What the record said when it was merged last, and when that was, on the monotonic clock. */
  private merged: { readonly text: string | undefined; readonly at: number } = UNMERGED;

  constructor(private readonly deps: TenantRegistryDependencies) {}

  /** When the last merge began, on the monotonic clock: what was read since then is news to the next one. */
  get mergedAt(): number {
    return this.mergeStartedAt;
  }

  /** In use now: by an event, not by a read. */
  touch(tenantKey: string): void {
    this.usedAt.set(tenantKey, this.deps.clock.now());
    this.hasNews = true;
  }

  forget(tenantKey: string): void {
    this.usedAt.delete(tenantKey);
    this.hasNews = true;
  }

  /** Whether anybody used the tenant within `idleAfterMs`. */
  isInUse(tenantKey: string, idleAfterMs: number): boolean {
    return this.deps.clock.now() - (this.usedAt.get(tenantKey) ?? -Infinity) <= idleAfterMs;
  }

  /** The tenants in use, or those of them that are wanted, the last one first. */
  inUse(isWanted: (tenantKey: string) => boolean = () => true): string[] {
    // Sorted last: of thousands in use next to none are wanted at most sweeps.
    const wanted = [...this.usedAt.keys()].filter(isWanted);
    const at = (tenantKey: string): number => this.usedAt.get(tenantKey) ?? -Infinity;
    return wanted.toSorted((a, b) => at(b) - at(a));
  }

  /**
   * Merges what this process saw with what the store has, forgets the idle, and writes if there is news.
   *
   * @returns the tenants whose status another process has learned meanwhile
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
    const roll = text === undefined ? undefined : parseRegistryRecord(text);
    const changed = this.mergeStatuses(roll);
    this.mergeUses(roll);
    this.dropIdle(idleAfterMs);
    if (this.hasNews || this.isRecordOld()) await this.write(roll);
    return changed;
  }

  private noteReads(slots: Iterable<TokenSlot>, since: number): void {
    const { clock } = this.deps;
    const wallToMonotonic = clock.now() - clock.monotonic();
    for (const { tenantKey, kept, readAt } of slots) {
      // A token is the proof: anybody can make up a tenant key.
      if (tenantKey === undefined || !kept || readAt < since) continue;
      const before = this.usedAt.get(tenantKey);
      if (before === undefined) this.merged = UNMERGED;
      // When it was read, not now: the last sweep may be long ago.
      this.usedAt.set(tenantKey, Math.max(readAt + wallToMonotonic, before ?? -Infinity));
    }
  }

  /** Whether the store says what it said at the last merge, and nothing has come up here since. */
  private isMerged(text: string | undefined): boolean {
    const isSame = text !== undefined && text === this.merged.text;
    return isSame && !this.hasNews && this.mergeStartedAt - this.merged.at < SAME_RECORD_MS;
  }

  private mergeStatuses(roll: TenantRegistryRecord | undefined): string[] {
    const { statuses } = this.deps;
    const changed: string[] = [];
    for (const [tenantKey, dated] of roll?.statuses ?? []) {
      if (!statuses.learn(tenantKey, dated)) continue;
      changed.push(tenantKey);
      if (statuses.isKnownStopped(tenantKey)) this.usedAt.delete(tenantKey);
    }
    return changed;
  }

  private mergeUses(roll: TenantRegistryRecord | undefined): void {
    const now = this.deps.clock.now();
    for (const [tenantKey, at] of roll?.usedAt ?? []) {
      if (this.deps.statuses.isKnownStopped(tenantKey)) continue;
      // A host whose clock is ahead must not keep a tenant in use for longer.
      const usedAt = Math.min(at, now);
      if (usedAt > (this.usedAt.get(tenantKey) ?? -Infinity)) this.usedAt.set(tenantKey, usedAt);
    }
    // Lost, or never written: worth a write of its own. From a full record others may have left it out, and would again.
    const isFull = (roll?.usedAt.size ?? 0) >= this.deps.maxTenants;
    for (const [tenantKey, at] of this.usedAt) {
      const before = roll?.usedAt.get(tenantKey) ?? (isFull ? at : -Infinity);
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

  private async write(roll: TenantRegistryRecord | undefined): Promise<void> {
    const { records, key, statuses, clock } = this.deps;
    const now = clock.now();
    const merged = new Map(roll?.statuses);
    for (const [tenantKey, dated] of statuses.entries()) merged.set(tenantKey, dated);
    for (const [tenantKey, { at }] of merged) if (now - at > STATUS_TTL_MS) merged.delete(tenantKey);
    const secret = serializeRegistryRecord({ usedAt: this.usedAt, statuses: merged });
    // Before it is written: what comes up meanwhile is not in it.
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
