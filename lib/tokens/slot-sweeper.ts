import { type Clock } from '../time/clock.js';
import { isRenewalDue } from './freshness.js';
import { type TokenRefresher } from './renewal/token-refresher.js';
import { type SlotTable } from './slot/slot-table.js';
import { type TokenSlot } from './slot/token-slot.js';

/** @internal */
export interface SweeperDependencies {
  readonly slots: SlotTable;
  readonly clock: Clock;
  readonly refresher: TokenRefresher;
}

/** What a sweep does with the slots: finds those that are due, renews them, removes idle ones. */
export class SlotSweeper {
  constructor(private readonly deps: SweeperDependencies) {}

  /** The slots to renew now: those whose tokens are due, and the app's own token if it could not be renewed. */
  due(): TokenSlot[] {
    const now = this.deps.clock.monotonic();
    return [...this.deps.slots].filter((slot) => {
      if (slot.flight || now < slot.nextAttemptAt) return false;
      const freshness = slot.freshness();
      if (freshness !== 'empty') return isRenewalDue(slot, freshness, now);
      return slot.kept !== undefined || (slot.isOwn && slot.lastFailure !== undefined);
    });
  }

  /** Joins or starts the slot's background flight. `left`: another process renews the token, or nothing is to do. */
  async renew(slot: TokenSlot): Promise<'renewed' | 'failed' | 'left'> {
    const { slots, refresher } = this.deps;
    // Another flight may have renewed it since the sweep began, as a tenant's flight renews a store app's own token.
    if (slots.closed || slot.freshness() === 'fresh') return 'left';
    const flight = slot.flight ?? refresher.start(slot);
    try {
      return typeof (await flight.outcome) === 'object' ? 'renewed' : 'left';
    } catch {
      return 'failed';
    }
  }

  /**
   * Removes the slots of tenants that no caller read for `idleAfterMs`.
   *
   * @param isInUse whether another process uses the tenant
   * @returns how many it removed
   */
  dropIdle(idleAfterMs: number, isInUse: (tenantKey: string) => boolean = () => false): number {
    const { slots, clock } = this.deps;
    const before = clock.monotonic() - idleAfterMs;
    const idle = [...slots].filter((slot) => {
      if (slot.isOwn || slot.readAt >= before || slot.isPinned()) return false;
      const { tenantKey } = slot;
      return tenantKey === undefined || !isInUse(tenantKey);
    });
    for (const slot of idle) slots.remove(slot);
    return idle.length;
  }

  /** An app_ticket arrived: what failed because there was none may be tried again at once. */
  endTicketPauses(): void {
    for (const slot of this.deps.slots) {
      if (slot.lastFailure?.error.code === 'ERR_FEISHU_APP_TICKET_MISSING') slot.endPause();
    }
  }
}
