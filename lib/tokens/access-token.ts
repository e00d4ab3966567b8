/**
 * The kinds of token there are.
 *
 * @publicApi
 */
export type TokenKind = 'app' | 'tenant';

/**
 * Which token: the app's own, or a tenant's. `tenantKey` is for store apps only, which must give it;
 * it matches `^[A-Za-z0-9_-]{1,128}$`.
 *
 * @publicApi
 */
export type TokenQuery = { kind: 'app' } | { kind: 'tenant'; tenantKey?: string };

/**
 * A token with its circumstances. A copy: changing it changes nothing in the module.
 *
 * @publicApi
 */
export interface AccessToken {
  /** The token itself, for `Authorization: Bearer <value>`. */
  value: string;
  kind: TokenKind;
  /** When the platform stops accepting it, by this process's wall clock. */
  expiresAt: Date;
  /** When the platform was asked for it, by the wall clock of the process that asked. */
  obtainedAt: Date;
  /** Where this answer came from: this process's memory, the shared store, or the platform just now. */
  source: 'memory' | 'store' | 'platform';
}

/**
 * @publicApi
 */
export interface TokenRequestOptions {
  /** Gives up waiting, for this caller alone: rejects with `signal.reason`. The renewal itself goes on. */
  signal?: AbortSignal;
  /**
   * Asks for at least this much remaining life, in milliseconds, below 30 minutes (before that the platform hands
   * out the same token again). At most one renewal a token; then the longest-lived token there is.
   */
  minValidityMs?: number;
}

/**
 * One token, its key resolved once, to be read many times.
 *
 * @publicApi
 */
export interface TokenHandle {
  /**
   * The token if a usable one is held in this process, at once and without allocating; `undefined` if a caller would
   * have to wait. Starts the renewal in the background when one is due. Never throws.
   */
  peek(): string | undefined;
  /**
   * A usable token; waits only when none is held.
   *
   * @throws FeishuAuthError `ERR_FEISHU_CREDENTIALS_REJECTED`, `ERR_FEISHU_PLATFORM_UNAVAILABLE`,
   * `ERR_FEISHU_RATE_LIMITED`, `ERR_FEISHU_MALFORMED_RESPONSE`, `ERR_FEISHU_APP_TICKET_MISSING`,
   * `ERR_FEISHU_TENANT_REJECTED`, `ERR_FEISHU_INVALID_ARGUMENT`, `ERR_FEISHU_CLOSED`
   */
  get(options?: TokenRequestOptions): Promise<string>;
}
