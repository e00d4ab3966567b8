import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type TokenKindMetrics, type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type SlotState } from '../tokens/slot/slot-state.js';

/**
 * How the tokens of one kind do, among the details of a health result.
 *
 * @publicApi
 */
export interface TokenKindHealth {
  /** Usable tokens held right now. */
  tokens: number;
  /** 0..1; 0 without data. */
  hitRate: number;
  /** 0..1; 0 without data. */
  refreshSuccessRate: number;
  /** Failed renewals in a row, of the token that fares worst. */
  consecutiveFailures: number;
  /** The last failure there was, also when all is well again; `at` is ISO 8601. */
  lastError: { code: FeishuAuthErrorCode; at: string } | null;
  /** Until the first of the held tokens ends, in whole seconds; `null` when none is held. */
  soonestExpiryInSeconds: number | null;
}

/**
 * What every health result carries besides its status. No secret and no token is in it.
 *
 * @publicApi
 */
export interface FeishuAuthHealthDetails {
  /** `'default'`, or the name of the instance. */
  instance: string;
  /** Everything that is wrong, the worst first; absent when up. */
  reason?: string;
  kinds: { tenant: TokenKindHealth; app: TokenKindHealth };
  store: { breaker: TokenMetricsSnapshot['store']['breaker'] };
  /** ISO 8601; `null` before the first sweep. */
  prewarm: { lastSweepAt: string | null };
}

/**
 * What is told of a snapshot and of the slots behind it.
 *
 * @internal
 */
export function healthDetails(
  { instance, kinds, store, prewarm }: TokenMetricsSnapshot,
  slots: readonly SlotState[],
): FeishuAuthHealthDetails {
  const of = (kind: TokenKind): TokenKindHealth =>
    kindHealth(
      kinds[kind],
      slots.filter((slot) => slot.kind === kind),
    );
  return {
    instance,
    kinds: { tenant: of('tenant'), app: of('app') },
    store: { breaker: store.breaker },
    prewarm: { lastSweepAt: prewarm.lastSweepAt ?? null },
  };
}

function kindHealth(
  { tokens, hitRate, refresh }: TokenKindMetrics,
  slots: readonly SlotState[],
): TokenKindHealth {
  let consecutiveFailures = 0;
  let lastError: SlotState['lastError'];
  let soonestMs = Infinity;
  for (const slot of slots) {
    consecutiveFailures = Math.max(consecutiveFailures, slot.consecutiveFailures);
    if (slot.lastError && slot.lastError.atWallMs > (lastError?.atWallMs ?? -Infinity))
      lastError = slot.lastError;
    if (slot.usable) soonestMs = Math.min(soonestMs, slot.expiresInMs ?? Infinity);
  }
  return {
    tokens,
    hitRate,
    refreshSuccessRate: refresh.successRate,
    consecutiveFailures,
    lastError: lastError ? { code: lastError.code, at: new Date(lastError.atWallMs).toISOString() } : null,
    soonestExpiryInSeconds: soonestMs === Infinity ? null : Math.floor(soonestMs / 1_000),
  };
}
