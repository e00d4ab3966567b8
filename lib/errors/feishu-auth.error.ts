import { type ReauthorizationReason } from './reauthorization-reason.js';
import { sanitizeCause } from './sanitize-cause.js';

/**
 * Says what went wrong. The values are stable: branch on them.
 *
 * - `ERR_FEISHU_CONFIG_INVALID`: an option is wrong. Thrown when the application starts.
 * - `ERR_FEISHU_INVALID_ARGUMENT`: an argument of this call is wrong.
 * - `ERR_FEISHU_CREDENTIALS_REJECTED`: Feishu rejected the app ID or the secret, or the app is disabled.
 * - `ERR_FEISHU_PLATFORM_UNAVAILABLE`: the network failed, the request timed out, or Feishu answered HTTP 5xx or a code
 *   that means "try again".
 * - `ERR_FEISHU_RATE_LIMITED`: Feishu received too many requests. `retryAt` says when to try again.
 * - `ERR_FEISHU_MALFORMED_RESPONSE`: the answer differs from Feishu's documentation.
 * - `ERR_FEISHU_APP_TICKET_MISSING`: the store app has no valid `app_ticket` yet. The module asked Feishu to push it again.
 * - `ERR_FEISHU_TENANT_REJECTED`: Feishu rejected this tenant: it has not installed the app, has stopped it, or does not exist.
 * - `ERR_FEISHU_EVENT_REJECTED`: reserved; the module never throws it. The event endpoint answers a refused delivery with
 *   HTTP 403, and `FeishuEventService.handle()` returns that reply.
 * - `ERR_FEISHU_REAUTHORIZATION_REQUIRED`: the user must log in again; `reason` says why.
 * - `ERR_FEISHU_ACCESS_CHALLENGED`: an access policy of the tenant requires an action of the user; `challengeUrl` says where.
 * - `ERR_FEISHU_LOGIN_REJECTED`: Feishu or the module refused the login's code, state or PKCE verifier.
 * - `ERR_FEISHU_USER_STORE_UNAVAILABLE`: the store of user logins does not answer, or contains an unreadable record.
 * - `ERR_FEISHU_CLOSED`: the application is closed.
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
 * The optional fields of a {@link FeishuAuthError}.
 *
 * @publicApi
 */
export interface FeishuAuthErrorDetails {
  /** Whether the same call may succeed later without a change of configuration. @default false */
  retryable?: boolean | undefined;
  /** The earliest time at which a new attempt makes sense, on this process's wall clock. */
  retryAt?: Date | undefined;
  /** The `code` in Feishu's answer. */
  feishuCode?: number | undefined;
  /** Feishu's log ID (`X-Tt-Logid`, else `X-Request-Id`). Feishu's support asks for it. */
  logId?: string | undefined;
  /** Why the user must log in again. */
  reason?: ReauthorizationReason | undefined;
  /** The page on which the user satisfies the tenant's access policy. */
  challengeUrl?: string | undefined;
  /** The scopes that the user has not granted. */
  missingScopes?: readonly string[] | undefined;
  /** The underlying error. Only its name, message and code are kept: an HTTP client's error carries the request and its secrets. */
  cause?: unknown;
}

// A registered symbol, so that `isFeishuAuthError` also recognises errors of a second copy of this package.
const BRAND = Symbol.for('nestjs-feishu-auth:error');

/**
 * The error class of this module. Branch on `code`. Use {@link isFeishuAuthError} instead of `instanceof`, which fails
 * when two copies of the package are loaded. No field contains a secret or a token.
 *
 * @publicApi
 */
export class FeishuAuthError extends Error {
  override readonly name = 'FeishuAuthError';
  /** Says what went wrong. */
  readonly code: FeishuAuthErrorCode;
  /** Whether the same call may succeed later without a change of configuration. */
  readonly retryable: boolean;
  /** The earliest time at which a new attempt makes sense, if known. */
  declare readonly retryAt?: Date;
  /** The `code` in Feishu's answer, if there was an answer. */
  declare readonly feishuCode?: number;
  /** Feishu's log ID of the answer, if there was an answer. */
  declare readonly logId?: string;
  /** Why the user must log in again. Set with `ERR_FEISHU_REAUTHORIZATION_REQUIRED`. */
  declare readonly reason?: ReauthorizationReason;
  /** The page on which the user satisfies the access policy, if Feishu named it. Set with `ERR_FEISHU_ACCESS_CHALLENGED`. */
  declare readonly challengeUrl?: string;
  /** The scopes that the user has not granted, if Feishu refused a call because of them (99991679). */
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
 * Returns whether `error` is a {@link FeishuAuthError}, with the given code if one is given. Works across copies of the package.
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
