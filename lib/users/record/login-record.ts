import { type ReauthorizationReason } from '../../errors/reauthorization-reason.js';
import { type FeishuUser } from '../feishu-user.js';

/** The tokens of one generation. Times are epoch milliseconds by the wall clock of the process that asked for them. */
export interface LoginTokens {
  readonly access: string;
  readonly accessExpiresAt: number;
  /** The access token's whole life. */
  readonly accessLifeMs: number;
  readonly obtainedAt: number;
  /** Absent where the user did not grant `offline_access`. */
  readonly refresh?: string | undefined;
  /** Absent where Feishu does not say it. */
  readonly refreshExpiresAt?: number | undefined;
}

/** The exclusive right of one process to use the refresh token, for `ms` from `at` on. */
export interface LoginClaim {
  readonly id: string;
  readonly at: number;
  readonly ms: number;
}

/** A refresh token was sent, and what came of it is unknown: Feishu may have used it up. */
export interface UncertainOutcome {
  readonly since: number;
  /** The claims under which it was sent, the last one first: a journal may hold what one of them was granted. */
  readonly claims: readonly string[];
  /** Feishu has refused it. The login ends when the claim is over, unless a holder of the new tokens commits them before. */
  readonly refusal?: { readonly code: number; readonly reason: ReauthorizationReason } | undefined;
}

export interface LoginEnd {
  readonly reason: ReauthorizationReason;
  readonly at: number;
  readonly feishuCode?: number | undefined;
  readonly logId?: string | undefined;
}

/**
 * A user's stored authorization. Each exchange of the refresh token makes a new generation, as a new login and a logout do.
 * A process commits what an exchange brought only over the generation that it exchanged.
 */
export interface LoginRecord {
  readonly generation: string;
  readonly user: Omit<FeishuUser, 'scopes'>;
  readonly scopes: readonly string[];
  /** When the user agreed. */
  readonly authorizedAt: number;
  /** Absent once the login has ended. */
  readonly tokens?: LoginTokens | undefined;
  readonly claim?: LoginClaim | undefined;
  readonly uncertain?: UncertainOutcome | undefined;
  readonly ended?: LoginEnd | undefined;
  /** Keep-alive leaves the login alone until then, after an attempt that failed. */
  readonly restUntil?: number | undefined;
}

/** Why the login gives no token any more; `undefined` while it does, or may again. */
export function endOf(record: LoginRecord, now: number): ReauthorizationReason | undefined {
  if (record.ended) return record.ended.reason;
  const { tokens } = record;
  if (!tokens) return 'absent';
  return tokens.refresh === undefined && tokens.accessExpiresAt <= now ? 'no-refresh-token' : undefined;
}

/** The login has ended. The record stays, for support, without its tokens. */
export function endLogin(record: LoginRecord, end: LoginEnd): LoginRecord {
  const { generation, user, scopes, authorizedAt } = record;
  return { generation, user, scopes, authorizedAt, ended: end };
}

/** A refresh token whose end Feishu does not say lives at least so long, by its documentation. */
const USUAL_REFRESH_LIFE_MS = 7 * 86_400_000;
/** Records of logins that ended are removed after this, where keep-alive is on. */
export const KEEP_ENDED_MS = 30 * 86_400_000;

/** When keep-alive has to look at the record. */
export function dueAtOf(record: LoginRecord, beforeMs: number): number {
  const { tokens, ended, restUntil = -Infinity, authorizedAt } = record;
  if (ended) return ended.at + KEEP_ENDED_MS;
  if (!tokens) return authorizedAt + KEEP_ENDED_MS;
  if (tokens.refresh === undefined) return tokens.accessExpiresAt + KEEP_ENDED_MS;
  const endsAt = tokens.refreshExpiresAt ?? tokens.obtainedAt + USUAL_REFRESH_LIFE_MS;
  return Math.max(endsAt - beforeMs, restUntil);
}
