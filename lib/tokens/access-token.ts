/**
 * The kinds of token.
 *
 * @publicApi
 */
export type TokenKind = 'app' | 'tenant' | 'user';

/**
 * Names one token: the app's own, a tenant's, or a user's. A store app must give `tenantKey`, a self-built app must not. It
 * matches `^[A-Za-z0-9_-]{1,128}$`.
 *
 * @publicApi
 */
export type TokenQuery =
  { kind: 'app' } | { kind: 'tenant'; tenantKey?: string } | { kind: 'user'; openId: string };

/**
 * A token and its facts. It is a copy: a change to it does not reach the module.
 *
 * @publicApi
 */
export interface AccessToken {
  /** The token itself, for `Authorization: Bearer <value>`. */
  value: string;
  kind: TokenKind;
  /** When Feishu stops accepting the token, by this process's wall clock. */
  expiresAt: Date;
  /** When the request for the token was sent, by the wall clock of the process that sent it. */
  obtainedAt: Date;
  /**
   * Where this answer came from: `'memory'` of this process, the shared `'store'`, or Feishu itself just now
   * (`'platform'`).
   */
  source: 'memory' | 'store' | 'platform';
}

/**
 * How one call reads a token.
 *
 * @publicApi
 */
export interface TokenRequestOptions {
  /** Ends the wait of this caller: the call rejects with `signal.reason`. The renewal itself goes on. */
  signal?: AbortSignal;
  /**
   * Asks for a token with at least this much life left, in milliseconds, below 30 minutes: with more life left, Feishu
   * returns the same token again. It causes at most one renewal a token; after that, the call resolves with the token
   * that lives longest.
   */
  minValidityMs?: number;
}

/**
 * Reads one token. Its key is resolved once, so that many reads are cheap.
 *
 * @publicApi
 */
export interface TokenHandle {
  /**
   * Returns the token if this process holds a usable one; `undefined` if a caller would have to wait. It does not wait,
   * allocate or throw. It starts the renewal in the background when one is due.
   */
  peek(): string | undefined;
  /**
   * Resolves with a usable token. It waits only when this process holds none.
   *
   * @throws FeishuAuthError `ERR_FEISHU_CREDENTIALS_REJECTED`, `ERR_FEISHU_PLATFORM_UNAVAILABLE`,
   * `ERR_FEISHU_RATE_LIMITED`, `ERR_FEISHU_MALFORMED_RESPONSE`, `ERR_FEISHU_APP_TICKET_MISSING`,
   * `ERR_FEISHU_TENANT_REJECTED`, `ERR_FEISHU_INVALID_ARGUMENT`, `ERR_FEISHU_CLOSED`
   */
  get(options?: TokenRequestOptions): Promise<string>;
}
