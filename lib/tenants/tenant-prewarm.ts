import { type Clock } from '../time/clock.js';
import { type SlotTable } from '../tokens/slot/slot-table.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';
import { type TenantLifecycle } from './tenant-lifecycle.js';
import { type TenantRegistry } from './tenant-registry.js';

/** @internal */
export interface TenantPrewarmDependencies {
  readonly registry: TenantRegistry;
  readonly lifecycle: TenantLifecycle;
  readonly slots: SlotTable;
  readonly maxTokens: number;
  readonly clock: Clock;
}

/** Chooses the tenants of a store app that a sweep pre-warms: those that any process of the fleet uses. */
export class TenantPrewarm {
  constructor(private readonly deps: TenantPrewarmDependencies) {}

  /**
   * Merges what the fleet knows, acts on the statuses that changed, and returns the slots of the tenants in use that have
   * no token here, the last used one first.
   */
  async toWarm(idleAfterMs: number): Promise<TokenSlot[]> {
    const { registry, lifecycle, slots, maxTokens } = this.deps;
    for (const tenantKey of await registry.merge(slots, idleAfterMs)) await lifecycle.follow(tenantKey);
    const toWarm: TokenSlot[] = [];
    for (const tenantKey of registry.inUse((it) => this.isEmpty(slots.find('tenant', it)))) {
      const slot = slots.find('tenant', tenantKey);
      if (slot) toWarm.push(slot);
      // A full table would evict tenants that callers read here.
      else if (slots.size < maxTokens) toWarm.push(this.newSlot(tenantKey));
    }
    return toWarm;
  }

  isInUse(tenantKey: string, idleAfterMs: number): boolean {
    return this.deps.registry.isInUse(tenantKey, idleAfterMs);
  }

  private isEmpty(slot: TokenSlot | undefined): boolean {
    return !slot || (!slot.kept && !slot.flight && this.deps.clock.monotonic() >= slot.nextAttemptAt);
  }

  private newSlot(tenantKey: string): TokenSlot {
    const slot = this.deps.slots.obtain({ kind: 'tenant', identity: tenantKey });
    slot.markUnread();
    return slot;
  }
}
