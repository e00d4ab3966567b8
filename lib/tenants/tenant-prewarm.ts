import { type Clock } from '../time/clock.js';
import { type TenantLifecycle } from './tenant-lifecycle.js';
import { type TenantRegistry } from './tenant-registry.js';
import { type TokenReader } from '../tokens/token-reader.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';

/** @internal */
export interface TenantPrewarmDependencies {
  readonly registry: TenantRegistry;
  readonly lifecycle: TenantLifecycle;
  readonly reader: TokenReader;
  readonly maxTokens: number;
  readonly clock: Clock;
}

/** Which tenants of a store app a sweep looks after: those in use anywhere in the fleet, and no others. */
export class TenantPrewarm {
  constructor(private readonly deps: TenantPrewarmDependencies) {}

  /**
   * Merges what the fleet knows, follows tenants that came or went, and gives those in use that have no token here, the
   * one used last first.
   */
  async toWarm(idleAfterMs: number): Promise<TokenSlot[]> {
    const { registry, lifecycle, reader, maxTokens } = this.deps;
    for (const tenantKey of await registry.merge(reader.slots, idleAfterMs))
      await lifecycle.follow(tenantKey);
    const slotOf = (tenantKey: string): TokenSlot | undefined => reader.slots.find('tenant', tenantKey);
    const slots: TokenSlot[] = [];
    for (const tenantKey of registry.inUse((it) => this.isEmpty(slotOf(it)))) {
      const slot = slotOf(tenantKey);
      if (slot) slots.push(slot);
      // Not at the cost of tenants that are read here.
      else if (reader.slots.size < maxTokens) slots.push(this.newSlot(tenantKey));
    }
    return slots;
  }

  isInUse(tenantKey: string, idleAfterMs: number): boolean {
    return this.deps.registry.isInUse(tenantKey, idleAfterMs);
  }

  private isEmpty(slot: TokenSlot | undefined): boolean {
    return !slot || (!slot.kept && !slot.flight && this.deps.clock.monotonic() >= slot.nextAttemptAt);
  }

  private newSlot(tenantKey: string): TokenSlot {
    const { reader, registry } = this.deps;
    const slot = reader.slotFor({ kind: 'tenant', tenantKey });
    // Nobody has read it: it must not count as in use because it is kept warm.
    slot.readAt = registry.mergedAt - 1;
    return slot;
  }
}
