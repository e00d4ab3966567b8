import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { type AppType } from '../platform/app-type.js';

/** A renewal that fails is trouble once less than this remains, in milliseconds, ... */
const LATE_MS = 10 * 60_000;
/** ... or less than this share of the token's life, whichever is later. */
const LATE_SHARE = 0.25;

/**
 * Everything that the verdict depends on.
 *
 * @internal
 */
export interface HealthFacts {
  readonly appType: AppType;
  readonly slots: readonly SlotState[];
  /** Whether a store app holds an `app_ticket`; means nothing for a self-built app. */
  readonly hasTicket: boolean;
  readonly breaker: TokenMetricsSnapshot['store']['breaker'];
}

/**
 * @internal
 */
export interface HealthVerdict {
  readonly status: 'up' | 'degraded' | 'down';
  /** Everything that is wrong, the worst first; absent when nothing is. */
  readonly reason?: string;
}

/**
 * How well the app's own credential does. A tenant of a store app degrades at most: it may be the tenant's doing.
 *
 * @internal
 */
export function healthVerdict(facts: HealthFacts): HealthVerdict {
  const isOwn = (slot: SlotState): boolean => facts.appType === 'self-built' || slot.kind === 'app';
  const failing = facts.slots.filter((slot) => slot.consecutiveFailures > 0);
  const own = failing.filter(isOwn);
  // A tenant that uninstalled is no fault of this process, and anybody can make up a tenant key.
  const tenants = failing.filter(
    (slot) => !isOwn(slot) && slot.lastError?.code !== 'ERR_FEISHU_TENANT_REJECTED',
  );

  const down = own.filter((slot) => !slot.usable).map(lostToken);
  const reasons = [
    ...down,
    ...own.filter((slot) => slot.usable).flatMap((slot) => atRisk(slot, facts) ?? []),
    ...tenantTrouble(tenants),
    ...storeTrouble(facts),
  ];
  if (reasons.length === 0) return { status: 'up' };
  return { status: down.length > 0 ? 'down' : 'degraded', reason: reasons.join('; ') };
}

/** A store that is full, or a replica, still answers reads, which keeps the breaker closed. */
function storeTrouble({ breaker, slots }: HealthFacts): string[] {
  if (breaker !== 'closed') return [`the token store does not answer (breaker ${breaker})`];
  const unshared = slots.filter((slot) => slot.unshared).length;
  return unshared > 0 ? [`the token store takes no writes: tokens that are not shared: ${unshared}`] : [];
}

function lostToken(slot: SlotState): string {
  return `no valid ${slot.kind} token and the last renewal failed${codeOf(slot)}`;
}

function atRisk(slot: SlotState, { appType, hasTicket }: HealthFacts): string | undefined {
  if (slot.lastError?.code === 'ERR_FEISHU_CREDENTIALS_REJECTED') {
    return `${held(slot.kind)} but the app's credentials are rejected${codeOf(slot)}`;
  }
  if (appType === 'store' && !hasTicket) {
    return `${held(slot.kind)} but it cannot be renewed without an app_ticket${codeOf(slot)}`;
  }
  if (isLate(slot)) return `${held(slot.kind)} but its renewal is failing and its end is near${codeOf(slot)}`;
  return undefined;
}

/** Counted, not listed: there may be thousands. */
function tenantTrouble(failing: readonly SlotState[]): string[] {
  const lost = failing.filter((slot) => !slot.usable).length;
  const late = failing.filter((slot) => slot.usable && isLate(slot)).length;
  return [
    ...(lost > 0 ? [`tenants without a valid token whose last renewal failed: ${lost}`] : []),
    ...(late > 0 ? [`tenants whose renewal is failing and whose token's end is near: ${late}`] : []),
  ];
}

function isLate({ expiresInMs = 0, lifeMs = Infinity }: SlotState): boolean {
  return expiresInMs < Math.min(LATE_MS, LATE_SHARE * lifeMs);
}

function held(kind: TokenKind): string {
  return `a valid ${kind} token is held`;
}

function codeOf({ lastError }: SlotState): string {
  return lastError === undefined ? '' : ` (${lastError.code})`;
}
