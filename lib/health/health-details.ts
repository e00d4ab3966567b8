import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type TokenKindMetrics, type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { forEachKind } from '../tokens/token-kinds.js';

/**
 * The tokens of one kind, in the details of a health result.
 *
 * @publicApi
 */
export interface TokenKindHealth {
  /** Usable tokens that this process holds now. */
  tokens: number;
  /** 0..1; 0 without data. */
  hitRate: number;
  /** 0..1; 0 without data. */
  refreshSuccessRate: number;
  /** Failed renewals in a row, of the token with the most. */
  consecutiveFailures: number;
  /** The last failure, also after renewals succeeded again; `at` is ISO 8601. */
  lastError: { code: FeishuAuthErrorCode; at: string } | null;
  /** Seconds until the first of the held tokens ends; `null` when none is held. */
  soonestExpiryInSeconds: number | null;
}

/**
 * The details of every health result. They have no secret and no token.
 *
 * @publicApi
 */
export interface FeishuAuthHealthDetails {
  /** `'default'`, or the name of the instance. */
  instance: string;
  /** Every problem, the worst first; absent when up. */
  reason?: string;
  kinds: Record<TokenKind, TokenKindHealth>;
  /** `problem`: why the shared store does not work; absent while it does. */
  store: { breaker: TokenMetricsSnapshot['store']['breaker']; problem?: string };
  /** `problem`: why the lock does not work. The whole field is absent while it does. */
  lock?: { problem: string };
  /** ISO 8601; `null` before the first sweep. */
  prewarm: { lastSweepAt: string | null };
  /** Logins whose new tokens are not stored yet. Absent without the `users` option. */
  users?: { uncommitted: number };
}

/**
 * The details of a snapshot and its slots.
 *
 * @internal
 */
export function healthDetails(
  { instance, kinds, store, lock, prewarm, users }: TokenMetricsSnapshot,
  slots: readonly SlotState[],
): FeishuAuthHealthDetails {
  return {
    instance,
    kinds: forEachKind((kind) =>
      kindHealth(
        kinds[kind],
        slots.filter((slot) => slot.kind === kind),
      ),
    ),
    store: { breaker: store.breaker, ...(store.problem !== undefined && { problem: store.problem }) },
    ...(lock.problem !== undefined && { lock: { problem: lock.problem } }),
    prewarm: { lastSweepAt: prewarm.lastSweepAt ?? null },
    ...(users && { users: { uncommitted: users.uncommitted } }),
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
