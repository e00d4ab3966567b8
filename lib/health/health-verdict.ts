import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { type AppType } from '../platform/app-type.js';

/** A failing renewal is a problem when less than this remains, in milliseconds, ... */
const LATE_MS = 10 * 60_000;
/** ... or less than this share of the token's life, whichever is later. */
const LATE_SHARE = 0.25;

/**
 * What the verdict depends on.
 *
 * @internal
 */
export interface HealthFacts {
  readonly appType: AppType;
  readonly slots: readonly SlotState[];
  /** Whether a store app holds an `app_ticket`; not used for a self-built app. */
  readonly hasTicket: boolean;
  readonly breaker: TokenMetricsSnapshot['store']['breaker'];
  /** Logins of users whose new tokens are not stored yet. */
  readonly uncommitted?: number;
  /** Why the shared store does not work. */
  readonly storeProblem?: string | undefined;
  /** Why the lock does not work. */
  readonly lockProblem?: string | undefined;
}

/**
 * @internal
 */
export interface HealthVerdict {
  readonly status: 'up' | 'degraded' | 'down';
  /** Every problem, the worst first; absent when up. */
  readonly reason?: string;
}

/**
 * Judges the app's own credentials. A tenant of a store app degrades at most: the cause may be at the tenant.
 *
 * @internal
 */
export function healthVerdict(facts: HealthFacts): HealthVerdict {
  const isOwn = (slot: SlotState): boolean => facts.appType === 'self-built' || slot.kind === 'app';
  // A user who has to log in is not a problem of the app.
  const failing = facts.slots.filter((slot) => slot.consecutiveFailures > 0 && slot.kind !== 'user');
  const own = failing.filter(isOwn);
  // A tenant that uninstalled the app, or an invented tenant key, is not a problem of this process.
  const tenants = failing.filter(
    (slot) => !isOwn(slot) && slot.lastError?.code !== 'ERR_FEISHU_TENANT_REJECTED',
  );

  const down = own.filter((slot) => !slot.usable).map(lostToken);
  const reasons = [
    ...down,
    ...own.filter((slot) => slot.usable).flatMap((slot) => atRisk(slot, facts) ?? []),
    ...tenantTrouble(tenants),
    ...storeTrouble(facts),
    ...userTrouble(facts),
    ...(facts.lockProblem === undefined ? [] : [`the lock does not work: ${facts.lockProblem}`]),
  ];
  if (reasons.length === 0) return { status: 'up' };
  return { status: down.length > 0 ? 'down' : 'degraded', reason: reasons.join('; ') };
}

/** A full store, or a read-only replica, still answers reads, which keeps the breaker closed. */
function storeTrouble({ breaker, storeProblem, slots }: HealthFacts): string[] {
  const why = storeProblem === undefined ? '' : `: ${storeProblem}`;
  if (breaker !== 'closed') return [`the token store does not answer (breaker ${breaker})${why}`];
  if (storeProblem !== undefined) return [`the token store does not work${why}`];
  const unshared = slots.filter((slot) => slot.unshared).length;
  return unshared > 0 ? [`the token store does not accept writes; tokens not shared: ${unshared}`] : [];
}

function userTrouble({ uncommitted = 0 }: HealthFacts): string[] {
  return uncommitted > 0
    ? [`the store of user logins does not accept writes; logins not stored: ${uncommitted}`]
    : [];
}

function lostToken(slot: SlotState): string {
  return `no valid ${slot.kind} token and the last renewal failed${codeOf(slot)}`;
}

function atRisk(slot: SlotState, { appType, hasTicket }: HealthFacts): string | undefined {
  if (slot.lastError?.code === 'ERR_FEISHU_CREDENTIALS_REJECTED') {
    return `${held(slot.kind)} but Feishu rejects the app's credentials${codeOf(slot)}`;
  }
  if (appType === 'store' && !hasTicket) {
    return `${held(slot.kind)} but it cannot be renewed without an app_ticket${codeOf(slot)}`;
  }
  if (isLate(slot)) return `${held(slot.kind)} but its renewal fails and its end is near${codeOf(slot)}`;
  return undefined;
}

/** Only their number: there may be thousands. */
function tenantTrouble(failing: readonly SlotState[]): string[] {
  const lost = failing.filter((slot) => !slot.usable).length;
  const late = failing.filter((slot) => slot.usable && isLate(slot)).length;
  return [
    ...(lost > 0 ? [`tenants without a valid token whose last renewal failed: ${lost}`] : []),
    ...(late > 0 ? [`tenants whose renewal fails and whose token's end is near: ${late}`] : []),
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
