import { type RecordStore } from '../store/record-store.js';
import { type Clock } from '../time/clock.js';
import { type TenantRegistry } from './tenant-registry.js';
import { tenantStopped, type TenantStatuses } from './tenant-statuses.js';
import { type TokenPublisher } from '../tokens/renewal/token-publisher.js';
import { cacheKey, resolveQuery, type AppIdentity } from '../tokens/token-query.js';
import { type TokenReader } from '../tokens/token-reader.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';

/** A token's record that is to be gone stays behind, empty, for so long. */
const REMOVED_FOR_MS = 60_000;

/** @internal */
export interface TenantLifecycleDependencies {
  readonly identity: AppIdentity;
  readonly clock: Clock;
  readonly records: RecordStore;
  readonly statuses: TenantStatuses;
  readonly registry: TenantRegistry;
  readonly reader: TokenReader;
  readonly publisher: TokenPublisher;
}

/** What a store app's tenants do with it, and what becomes of their tokens. Times are those of the events. */
export class TenantLifecycle {
  constructor(private readonly deps: TenantLifecycleDependencies) {}

  /** Its tokens go, here and in the store, and it gets none until it is enabled again. */
  async stopped(tenantKey: string, at: number): Promise<void> {
    if (!isTenantKey(tenantKey)) return;
    const { identity, statuses, records, clock } = this.deps;
    await statuses.announce(tenantKey, { status: 'stopped', at });
    const slot = await this.follow(tenantKey);
    if (slot || !statuses.isKnownStopped(tenantKey)) return;
    // Held by others only, or by nobody.
    await records.clear(cacheKey(identity, 'tenant', tenantKey), clock.now(), REMOVED_FOR_MS);
  }

  /** It may have tokens again, and is worth pre-warming. */
  async enabled(tenantKey: string, at: number): Promise<void> {
    const { statuses, registry } = this.deps;
    if (!isTenantKey(tenantKey)) return;
    await statuses.announce(tenantKey, { status: 'enabled', at });
    await this.follow(tenantKey);
    if (!statuses.isKnownStopped(tenantKey)) registry.touch(tenantKey);
  }

  /**
   * Does what the tenant's status asks for, as far as it is known: by an event here, or at another process.
   *
   * @returns what was held of it
   */
  async follow(tenantKey: string): Promise<TokenSlot | undefined> {
    const { statuses, registry, reader } = this.deps;
    const slot = reader.slots.find('tenant', tenantKey);
    if (statuses.isKnownStopped(tenantKey)) {
      registry.forget(tenantKey);
      if (slot) await this.evict(slot, tenantKey);
    } else if (slot?.lastFailure?.error.code === 'ERR_FEISHU_TENANT_REJECTED') {
      slot.endPause();
    }
    return slot;
  }

  private async evict(slot: TokenSlot, tenantKey: string): Promise<void> {
    slot.generation++;
    const { flight } = slot;
    slot.flight = undefined;
    // Whoever holds a handle finds the slot's successor, and that one the status.
    this.deps.reader.slots.remove(slot);
    flight?.abort(tenantStopped(tenantKey));
    await this.deps.publisher.clear(slot);
  }
}

function isTenantKey(tenantKey: string): boolean {
  try {
    return resolveQuery({ kind: 'tenant', tenantKey }, 'store').tenantKey === tenantKey;
  } catch {
    return false;
  }
}
