import { STORE_APP } from '../load/platform.js';
import { type DesignSetup } from './design.js';

/** A token as the ancestors keep it. */
export interface CachedToken {
  readonly value: string;
  /** Not used any more from here on. */
  readonly usableUntil: number;
  readonly expiresAt: number;
}

/** The key of the app's own token among the tenants'. */
export const APP = '';
/** The official SDK stops using a token 3 minutes before its end; the ancestors do as it does. */
const MARGIN_SHARE = 180 / 7_200;

/** How all the ancestors ask the platform: the same two requests that the module makes, and no retry. */
export class TokenSource {
  late = 0;
  private readonly tokens = new Map<string, CachedToken>();

  constructor(private readonly setup: DesignSetup) {}

  /** What is held, if it can be used. */
  usable(key: string): string | undefined {
    const token = this.tokens.get(key);
    return token !== undefined && this.setup.clock.now() < token.usableUntil ? token.value : undefined;
  }

  /** Keys whose token has less than `thresholdMs` left. */
  endingWithin(thresholdMs: number): string[] {
    const soon = this.setup.clock.now() + thresholdMs;
    return [...this.tokens].filter(([, { expiresAt }]) => expiresAt < soon).map(([key]) => key);
  }

  /** Asks the platform. `appToken` is how this design comes by the app's own token. */
  async fetch(key: string, appToken: () => Promise<string>): Promise<string> {
    const before = this.tokens.get(key);
    if (before && this.setup.clock.now() >= before.usableUntil) this.late++;
    return key === APP ? this.fetchAppToken() : this.fetchTenantToken(key, await appToken());
  }

  private async fetchAppToken(): Promise<string> {
    const { appId, appSecret } = STORE_APP;
    const body = { app_id: appId, app_secret: appSecret, app_ticket: this.setup.ticket };
    return this.ask(APP, 'app_access_token', body);
  }

  private async fetchTenantToken(tenantKey: string, appToken: string): Promise<string> {
    const body = { app_access_token: appToken, tenant_key: tenantKey };
    return this.ask(tenantKey, 'tenant_access_token', body);
  }

  private async ask(
    key: string,
    kind: 'app_access_token' | 'tenant_access_token',
    body: object,
  ): Promise<string> {
    const { domain, fetch, clock } = this.setup;
    const startedAt = clock.now();
    const response = await fetch(`${domain.open}/open-apis/auth/v3/${kind}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { code: number; expire: number } & Record<string, string>;
    const value = answer[kind];
    if (answer.code !== 0 || value === undefined) throw new Error(`the platform answered ${answer.code}`);
    const lifeMs = answer.expire * 1_000;
    const expiresAt = startedAt + lifeMs;
    this.tokens.set(key, { value, expiresAt, usableUntil: expiresAt - MARGIN_SHARE * lifeMs });
    return value;
  }
}
