import { FeishuAuthError } from './errors/feishu-auth.error.js';
import { FeishuService } from './identity/feishu-service.decorator.js';
import { performanceReport } from './metrics/performance-report.js';
import { type TokenMetricsSnapshot } from './metrics/token-metrics-snapshot.js';
import { type TokenMetrics } from './metrics/token-metrics.js';
import { type AppType } from './platform/app-type.js';
import { type AppTickets } from './ticket/app-tickets.js';
import {
  type AccessToken,
  type TokenHandle,
  type TokenQuery,
  type TokenRequestOptions,
} from './tokens/access-token.js';
import { type SlotTable } from './tokens/slot/slot-table.js';
import { type TokenSlot } from './tokens/slot/token-slot.js';
import { toAccessToken, type TokenReader } from './tokens/token-reader.js';

/**
 * The app whose tokens a TokenService provides, for what is built on top of it. It never has the secret.
 *
 * @internal
 */
export interface TokenOwner {
  readonly appId: string;
  readonly appType: AppType;
  /** Origin of the open host, without a trailing slash. */
  readonly openOrigin: string;
  readonly tickets: AppTickets;
}

/** @internal */
export interface TokenServiceDependencies {
  readonly reader: TokenReader;
  readonly slots: SlotTable;
  readonly metrics: TokenMetrics;
  readonly owner: TokenOwner;
  readonly log: (text: string) => void;
}

/** Registered, so that it works for the services of another copy of this package. */
const OWNER = Symbol.for('nestjs-feishu-auth:token-owner');

/**
 * The app whose tokens `tokens` provides.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for an object that the module did not make, such as a mock
 * @internal
 */
export function ownerOf(tokens: TokenService): TokenOwner {
  if (OWNER in tokens) return tokens[OWNER]();
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    'tokens: must be the TokenService that FeishuAuthModule provides, not a mock or a copy of it',
  );
}

/**
 * Provides valid Feishu / Lark tokens. The read of a held token takes no lock, no store and no allocation. All callers of
 * a token share one renewal.
 *
 * Every method that returns a token rejects with a `FeishuAuthError`: `ERR_FEISHU_CREDENTIALS_REJECTED`,
 * `ERR_FEISHU_PLATFORM_UNAVAILABLE`, `ERR_FEISHU_RATE_LIMITED`, `ERR_FEISHU_MALFORMED_RESPONSE`,
 * `ERR_FEISHU_APP_TICKET_MISSING`, `ERR_FEISHU_TENANT_REJECTED`, `ERR_FEISHU_INVALID_ARGUMENT`, `ERR_FEISHU_CLOSED`;
 * or with `signal.reason` after the caller's signal was aborted.
 *
 * @publicApi
 */
@FeishuService('TokenService')
export class TokenService {
  readonly #reader: TokenReader;
  readonly #metrics: TokenMetrics;
  readonly #owner: TokenOwner;
  readonly #log: (text: string) => void;
  readonly #app: TokenHandle;
  /** A store app's tenants. */
  readonly #tenants: ReadonlyMap<string, TokenSlot>;
  readonly #users: ReadonlyMap<string, TokenSlot>;
  /** The one tenant of a self-built app. */
  readonly #tenant: TokenHandle | undefined;

  /** @internal */
  constructor({ reader, slots, metrics, owner, log }: TokenServiceDependencies) {
    this.#reader = reader;
    this.#tenants = slots.ofKind('tenant');
    this.#users = slots.ofKind('user');
    this.#metrics = metrics;
    this.#log = log;
    this.#app = reader.handle({ kind: 'app' });
    this.#tenant = owner.appType === 'self-built' ? reader.handle({ kind: 'tenant' }) : undefined;
    this.#owner = owner;
  }

  /** @internal */
  [OWNER](): TokenOwner {
    return this.#owner;
  }

  /**
   * Resolves with a usable `tenant_access_token`.
   *
   * @param options.tenantKey the tenant: required for a store app, refused for a self-built app
   */
  getTenantAccessToken(options?: TokenRequestOptions & { tenantKey?: string }): Promise<string> {
    if (this.#tenant && options?.tenantKey === undefined) return this.#tenant.get(options);
    const isPlain = options !== undefined && !options.signal && options.minValidityMs === undefined;
    if (isPlain && !this.#tenant && options.tenantKey !== undefined) {
      const slot = this.#tenants.get(options.tenantKey);
      const held = slot && this.#reader.peek(slot);
      if (held) return held.promise;
    }
    return this.#getOfTenant(options);
  }

  /** Resolves with a usable `app_access_token`. */
  getAppAccessToken(options?: TokenRequestOptions): Promise<string> {
    return this.#app.get(options);
  }

  /**
   * Resolves with a usable `user_access_token` of a user who logged in. Needs the option `users`.
   *
   * @throws FeishuAuthError besides those of every token: `ERR_FEISHU_REAUTHORIZATION_REQUIRED` if the user has to log in;
   * `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_ACCESS_CHALLENGED`, `ERR_FEISHU_CONFIG_INVALID` without `users`
   */
  async getUserAccessToken(openId: string, options?: TokenRequestOptions): Promise<string> {
    if (options === undefined) {
      const slot = this.#users.get(openId);
      const held = slot && this.#reader.peek(slot);
      if (held) return held.value;
    }
    const { token } = await this.#reader.get(this.#reader.slotOf({ kind: 'user', openId }), options);
    return token.value;
  }

  /** Resolves with a usable token and its facts. */
  async getToken(query: TokenQuery, options?: TokenRequestOptions): Promise<AccessToken> {
    const slot = this.#reader.slotOf(query);
    const { token, waited } = await this.#reader.get(slot, options);
    return toAccessToken(token, slot, waited ? token.source : 'memory');
  }

  /**
   * Resolves the key once, for many reads. The handle is valid for the life of the application.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  handle(query: TokenQuery): TokenHandle {
    return this.#reader.handle(query);
  }

  /**
   * Renews now, even if a token is held; concurrent callers share one renewal. With 30 minutes or more left, Feishu returns the
   * same token again, which is not a failure. Not counted as a request in the metrics. While a rejection of the app or
   * the tenant, or a rate limit, is in force, it rejects at once, as a read does.
   */
  async refresh(query: TokenQuery): Promise<AccessToken> {
    const slot = this.#reader.slotOf(query);
    const token = await this.#reader.refresh(slot);
    return toAccessToken(token, slot, token.source);
  }

  /**
   * Reports that an API rejected `rejectedValue` (codes 99991663, 99991664, 99991665). If this is the current token, it is
   * dropped here and in the shared store, and a new one is fetched. Any number of late reports cost one renewal.
   *
   * @returns true only if `rejectedValue` was the current token. False also when Feishu returned it again after an earlier
   * rejection: then the token is not the problem.
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async invalidate(query: TokenQuery, rejectedValue: string): Promise<boolean> {
    return this.#reader.invalidate(query, rejectedValue);
  }

  /** What this instance did since it started. */
  metrics(): TokenMetricsSnapshot {
    return this.#metrics.snapshot();
  }

  /** The metrics as a short text for a person on call. */
  performanceReport(): string {
    return performanceReport(this.metrics());
  }

  /** Writes {@link performanceReport} to Nest's Logger. */
  logPerformanceMetrics(): void {
    this.#log(this.performanceReport());
  }

  async #getOfTenant({
    tenantKey,
    ...options
  }: TokenRequestOptions & { tenantKey?: string } = {}): Promise<string> {
    const slot = this.#reader.slotOf({ kind: 'tenant', ...(tenantKey === undefined ? {} : { tenantKey }) });
    const { token } = await this.#reader.get(slot, options);
    return token.value;
  }
}
