import { type ReauthorizationReason } from './reauthorization-reason.js';
import { sanitizeCause } from './sanitize-cause.js';

/**
 * What went wrong, as a stable string.
 *
 * - `ERR_FEISHU_CONFIG_INVALID`: an option is wrong; thrown at start-up, never later.
 * - `ERR_FEISHU_INVALID_ARGUMENT`: an argument of this very call is wrong.
 * - `ERR_FEISHU_CREDENTIALS_REJECTED`: Feishu knows the app not, or not with this secret, or has disabled it.
 * - `ERR_FEISHU_PLATFORM_UNAVAILABLE`: network, timeout, HTTP 5xx, or a code by which Feishu says "try again".
 * - `ERR_FEISHU_RATE_LIMITED`: asked too often; `retryAt` says when to come back.
 * - `ERR_FEISHU_MALFORMED_RESPONSE`: an answer that is not what the documentation promises.
 * - `ERR_FEISHU_APP_TICKET_MISSING`: a store app has no `app_ticket` (yet); Feishu was asked to send it again.
 * - `ERR_FEISHU_TENANT_REJECTED`: this one tenant cannot be served (not installed, stopped, unknown).
 * - `ERR_FEISHU_EVENT_REJECTED`: an incoming event was refused.
 * - `ERR_FEISHU_REAUTHORIZATION_REQUIRED`: the user has to log in (again); `reason` says why.
 * - `ERR_FEISHU_ACCESS_CHALLENGED`: an access policy of the tenant wants the user to act; `challengeUrl` says where.
 * - `ERR_FEISHU_LOGIN_REJECTED`: a login was refused: its code, its state or its PKCE verifier.
 * - `ERR_FEISHU_USER_STORE_UNAVAILABLE`: the store of user logins cannot be read or written, or holds an unreadable record.
 * - `ERR_FEISHU_CLOSED`: the application has been closed.
 *
 * @publicApi
 */
export type FeishuAuthErrorCode =
  | 'ERR_FEISHU_CONFIG_INVALID'
  | 'ERR_FEISHU_INVALID_ARGUMENT'
  | 'ERR_FEISHU_CREDENTIALS_REJECTED'
  | 'ERR_FEISHU_PLATFORM_UNAVAILABLE'
  | 'ERR_FEISHU_RATE_LIMITED'
  | 'ERR_FEISHU_MALFORMED_RESPONSE'
  | 'ERR_FEISHU_APP_TICKET_MISSING'
  | 'ERR_FEISHU_TENANT_REJECTED'
  | 'ERR_FEISHU_EVENT_REJECTED'
  | 'ERR_FEISHU_REAUTHORIZATION_REQUIRED'
  | 'ERR_FEISHU_ACCESS_CHALLENGED'
  | 'ERR_FEISHU_LOGIN_REJECTED'
  | 'ERR_FEISHU_USER_STORE_UNAVAILABLE'
  | 'ERR_FEISHU_CLOSED';

/**
 * What a {@link FeishuAuthError} may carry besides code and message.
 *
 * @publicApi
 */
export interface FeishuAuthErrorDetails {
  /** Whether the same call may succeed later without anybody changing anything. @default false */
  retryable?: boolean | undefined;
  /** When it is worth trying again, by this process's wall clock. */
  retryAt?: Date | undefined;
  /** The `code` of Feishu's answer. */
  feishuCode?: number | undefined;
  /** Feishu's log id (`X-Tt-Logid`, else `X-Request-Id`): what their support asks for. */
  logId?: string | undefined;
  /** Why the user has to log in again. */
  reason?: ReauthorizationReason | undefined;
  /** Where the user can meet the tenant's access policy. */
  challengeUrl?: string | undefined;
  /** The scopes that the user has not granted. */
  missingScopes?: readonly string[] | undefined;
  /** What caused it. Kept as name, message and code only, so that no request (and no secret) rides along. */
  cause?: unknown;
}

// Registered, so that the guard also knows errors of a second copy of this package.
const BRAND = Symbol.for('nestjs-feishu-auth:error');

/**
 * The one error class of this module. Branch on `code`; `instanceof` fails across duplicate copies of a package,
 * {@link isFeishuAuthError} does not. No secret and no token is in any of its fields.
 *
 * @publicApi
 */
export class FeishuAuthError extends Error {
  override readonly name = 'FeishuAuthError';
  /** Stable identifier of what went wrong. */
  readonly code: FeishuAuthErrorCode;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** When it is worth trying again, where that is known. */
  declare readonly retryAt?: Date;
  /** The `code` of Feishu's answer, where there was one. */
  declare readonly feishuCode?: number;
  /** Feishu's log id of the answer, where there was one. */
  declare readonly logId?: string;
  /** Why the user has to log in again, with `ERR_FEISHU_REAUTHORIZATION_REQUIRED`. */
  declare readonly reason?: ReauthorizationReason;
  /** Where the user can meet the tenant's access policy, with `ERR_FEISHU_ACCESS_CHALLENGED`, if Feishu said it. */
  declare readonly challengeUrl?: string;
  /** The scopes that the user has not granted, where a call was refused for want of them (99991679). */
  declare readonly missingScopes?: readonly string[];

  constructor(code: FeishuAuthErrorCode, message: string, details: FeishuAuthErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: sanitizeCause(details.cause) });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.retryable = details.retryable ?? false;
    if (details.retryAt !== undefined) this.retryAt = details.retryAt;
    if (details.feishuCode !== undefined) this.feishuCode = details.feishuCode;
    if (details.logId !== undefined) this.logId = details.logId;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.challengeUrl !== undefined) this.challengeUrl = details.challengeUrl;
    if (details.missingScopes !== undefined) this.missingScopes = details.missingScopes;
  }
}

/**
 * Whether `error` is a {@link FeishuAuthError}, and of the given code if one is named.
 *
 * @example
 * if (isFeishuAuthError(error, 'ERR_FEISHU_RATE_LIMITED')) await waitUntil(error.retryAt);
 *
 * @publicApi
 */
export function isFeishuAuthError(error: unknown, code?: FeishuAuthErrorCode): error is FeishuAuthError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as { code?: unknown }).code === code;
}
