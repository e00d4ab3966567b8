import { type TokenMetrics } from './metrics/token-metrics.js';
import { type TokenMetricsSnapshot } from './metrics/token-metrics-snapshot.js';
import { performanceReport } from './metrics/performance-report.js';
import {
  type AccessToken,
  type TokenHandle,
  type TokenQuery,
  type TokenRequestOptions,
} from './tokens/access-token.js';
import { toAccessToken, type TokenReader } from './tokens/token-reader.js';
import { type AppTicketService } from './ticket/app-ticket.service.js';
import { type AppType } from './platform/app-type.js';
import { FeishuService } from './identity/feishu-service.decorator.js';

/**
 * Whose tokens a TokenService has, for what is built on top of it. Never the secret.
 *
 * @internal
 */
export interface TokenOwner {
  readonly appId: string;
  readonly appType: AppType;
  /** Origin of the open host, without a trailing slash. */
  readonly openOrigin: string;
  readonly tickets: AppTicketService;
}

/**
 * Valid Feishu / Lark tokens. A read of a token that is held takes no lock, no store and no allocation; a renewal is
 * one flight that all callers of a token share.
 *
 * Every method that returns a token rejects with a `FeishuAuthError`: `ERR_FEISHU_CREDENTIALS_REJECTED`,
 * `ERR_FEISHU_PLATFORM_UNAVAILABLE`, `ERR_FEISHU_RATE_LIMITED`, `ERR_FEISHU_MALFORMED_RESPONSE`,
 * `ERR_FEISHU_APP_TICKET_MISSING`, `ERR_FEISHU_TENANT_REJECTED`, `ERR_FEISHU_INVALID_ARGUMENT`, `ERR_FEISHU_CLOSED`;
 * or with `signal.reason` when the caller's own signal is aborted.
 *
 * @publicApi
 */
@FeishuService('TokenService')
export class TokenService {
  private readonly app: TokenHandle;
  /** A self-built app's one tenant; a store app has as many as it has tenants. */
  private readonly tenant: TokenHandle | undefined;

  /** @internal */
  constructor(
    private readonly reader: TokenReader,
    private readonly tokenMetrics: TokenMetrics,
    private readonly log: (text: string) => void,
    /** @internal */
    readonly owner: TokenOwner,
  ) {
    this.app = reader.handle({ kind: 'app' });
    this.tenant = owner.appType === 'self-built' ? reader.handle({ kind: 'tenant' }) : undefined;
  }

  /**
   * A usable `tenant_access_token`.
   *
   * @param options.tenantKey whose: required for a store app, refused for a self-built one
   */
  getTenantAccessToken(options?: TokenRequestOptions & { tenantKey?: string }): Promise<string> {
    if (this.tenant && options?.tenantKey === undefined) return this.tenant.get(options);
    const isPlain = options !== undefined && !options.signal && options.minValidityMs === undefined;
    if (isPlain && !this.tenant) {
      const slot = this.reader.slots.find('tenant', options.tenantKey);
      const held = slot && this.reader.peek(slot);
      if (held) return held.promise;
    }
    return this.getTenantsToken(options);
  }

  /** A usable `app_access_token`. */
  getAppAccessToken(options?: TokenRequestOptions): Promise<string> {
    return this.app.get(options);
  }

  /** A usable token with its circumstances. */
  async getToken(query: TokenQuery, options?: TokenRequestOptions): Promise<AccessToken> {
    const slot = this.reader.slotOf(query);
    const { token, waited } = await this.reader.get(slot, options);
    return toAccessToken(token, slot.query, waited ? token.source : 'memory');
  }

  /**
   * Resolves the key once, to be read many times. The handle stays good for the life of the application.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  handle(query: TokenQuery): TokenHandle {
    return this.reader.handle(query);
  }

  /**
   * Renews now, whatever is held; still one flight for all who ask. With 30 minutes or more left the platform hands
   * out the same token again, which is no failure. Not counted as a request in the metrics. Fails fast, like a read,
   * while a rejection of the app or tenant or a rate limit is fresh.
   */
  async refresh(query: TokenQuery): Promise<AccessToken> {
    const slot = this.reader.slotOf(query);
    const token = await this.reader.refresh(slot);
    return toAccessToken(token, slot.query, token.source);
  }

  /**
   * Tells that an API rejected `rejectedValue` (99991663 and its kin). Only if exactly that token is the current one it
   * is dropped, here and in the shared store, and a new one is fetched; so any number of late reports cost one renewal.
   *
   * @returns true only if that very token was the current one. False too when the platform had just handed it out
   * again after a rejection: then the token was not the problem.
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async invalidate(query: TokenQuery, rejectedValue: string): Promise<boolean> {
    return this.reader.invalidate(query, rejectedValue);
  }

  /** What this instance did since it started. */
  metrics(): TokenMetricsSnapshot {
    return this.tokenMetrics.snapshot();
  }

  /** The same as a short text for whoever is on call. */
  performanceReport(): string {
    return performanceReport(this.metrics());
  }

  /** Writes {@link performanceReport} through Nest's Logger. */
  logPerformanceMetrics(): void {
    this.log(this.performanceReport());
  }

  private async getTenantsToken({
    tenantKey,
    ...options
  }: TokenRequestOptions & { tenantKey?: string } = {}): Promise<string> {
    const slot = this.reader.slotOf({ kind: 'tenant', ...(tenantKey === undefined ? {} : { tenantKey }) });
    const { token } = await this.reader.get(slot, options);
    return token.value;
  }
}
