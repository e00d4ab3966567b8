import { isTenantKey } from '../tokens/token-kinds.js';
import { cacheKey, type AppIdentity } from '../tokens/token-query.js';
import { type TokenPublisher } from '../tokens/renewal/token-publisher.js';
import { type SlotTable } from '../tokens/slot/slot-table.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';
import { type TenantRegistry } from './tenant-registry.js';
import { tenantStopped, type TenantStatuses } from './tenant-statuses.js';

/** @internal */
export interface TenantLifecycleDependencies {
  readonly identity: AppIdentity;
  readonly statuses: TenantStatuses;
  readonly registry: TenantRegistry;
  readonly slots: SlotTable;
  readonly publisher: TokenPublisher;
}

/** Acts when a store app's tenant stops or enables the app. Times are those of the events. */
export class TenantLifecycle {
  constructor(private readonly deps: TenantLifecycleDependencies) {}

  /** Removes the tenant's tokens here and in the store. The tenant gets none until it enables the app again. */
  async stopped(tenantKey: string, at: number): Promise<void> {
    if (!isTenantKey(tenantKey)) return;
    const { identity, statuses, publisher } = this.deps;
    await statuses.announce(tenantKey, { status: 'stopped', at });
    const slot = await this.follow(tenantKey);
    if (slot || !statuses.isKnownStopped(tenantKey)) return;
    // Another process may have stored a token.
    await publisher.clearKey(cacheKey(identity, 'tenant', tenantKey));
  }

  /** The tenant may get tokens again, and is pre-warmed. */
  async enabled(tenantKey: string, at: number): Promise<void> {
    const { statuses, registry } = this.deps;
    if (!isTenantKey(tenantKey)) return;
    await statuses.announce(tenantKey, { status: 'enabled', at });
    await this.follow(tenantKey);
    if (!statuses.isKnownStopped(tenantKey)) registry.touch(tenantKey);
  }

  /**
   * Acts on the tenant's status as this process knows it, from an event or from another process.
   *
   * @returns the tenant's slot, if this process had one
   */
  async follow(tenantKey: string): Promise<TokenSlot | undefined> {
    const { statuses, registry, slots } = this.deps;
    const slot = slots.find('tenant', tenantKey);
    if (statuses.isKnownStopped(tenantKey)) {
      registry.forget(tenantKey);
      if (slot) await this.evict(slot, tenantKey);
    } else if (slot?.lastFailure?.error.code === 'ERR_FEISHU_TENANT_REJECTED') {
      slot.endPause();
    }
    return slot;
  }

  private async evict(slot: TokenSlot, tenantKey: string): Promise<void> {
    const flight = slot.supersede();
    // Existing handles find the slot's successor, whose flight sees the status.
    this.deps.slots.remove(slot);
    flight?.abort(tenantStopped(tenantKey));
    await this.deps.publisher.clear(slot);
  }
}
