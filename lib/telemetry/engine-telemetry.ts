import { examineHealth, type HealthSources } from '../health/examine-health.js';
import { type RefreshDurations, type WaitDurations } from '../metrics/token-metrics.js';
import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type SharedStore, type StoreOperations } from '../store/shared-store.js';
import { type HeldToken } from '../tokens/slot/held-token.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';
import { type HeldTokenState, type InstanceTelemetry } from './instance-telemetry.js';

/** The status page draws each of them. */
const MAX_TOKENS = 12;

/** Reads one instance for exporters and the status page. */
export class EngineTelemetry implements InstanceTelemetry {
  readonly #health: HealthSources;
  readonly #slots: Iterable<TokenSlot>;
  readonly #store: SharedStore;

  constructor(health: HealthSources, slots: Iterable<TokenSlot>, store: SharedStore) {
    this.#health = health;
    this.#slots = slots;
    this.#store = store;
  }

  get instance(): string {
    return this.#health.instance;
  }

  metrics(): TokenMetricsSnapshot {
    return this.#health.metrics.snapshot();
  }

  health(): ReturnType<InstanceTelemetry['health']> {
    return examineHealth(this.#health);
  }

  waitDurations(): WaitDurations[] {
    return this.#health.metrics.waitDurations();
  }

  refreshDurations(): RefreshDurations[] {
    return this.#health.metrics.refreshDurations();
  }

  storeOperations(): StoreOperations[] {
    return this.#store.operations();
  }

  tokens(): HeldTokenState[] {
    const own: HeldTokenState[] = [];
    /** Sorted by their ends and short, because there may be a million slots. */
    const others: { readonly held: HeldToken; readonly slot: TokenSlot }[] = [];
    for (const slot of this.#slots) {
      const held = slot.usable();
      if (held === undefined) continue;
      if (slot.isOwn) {
        own.push(heldTokenState(slot, held));
        continue;
      }
      const last = others.at(-1);
      if (others.length === MAX_TOKENS && last && held.expiresAt >= last.held.expiresAt) continue;
      others.push({ held, slot });
      others.sort((a, b) => a.held.expiresAt - b.held.expiresAt);
      others.length = Math.min(others.length, MAX_TOKENS);
    }
    return [...own, ...others.map(({ slot, held }) => heldTokenState(slot, held))].slice(0, MAX_TOKENS);
  }
}

function heldTokenState(slot: TokenSlot, held: HeldToken): HeldTokenState {
  const iso = (time: number): string => new Date(time).toISOString();
  return {
    kind: slot.kind,
    holder: slot.isOwn ? 'own' : 'other',
    obtainedAt: iso(held.obtainedAt),
    refreshAt: iso(held.refreshAt),
    mustAt: iso(held.mustAt),
    deadAt: iso(held.deadAt),
    expiresAt: iso(held.expiresAt),
    consecutiveFailures: slot.state().consecutiveFailures,
  };
}
