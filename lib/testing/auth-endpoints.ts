import { type EmulatorApps, type RegisteredApp } from './emulator-apps.js';
import { type EmulatorEndpoints } from './emulator-endpoints.js';
import { type EmulatorReply, failure, json } from './emulator-reply.js';
import { type EmulatorRequest } from './emulator-request.js';
import { type EmulatorTickets } from './emulator-tickets.js';
import { type EmulatedIdentity, type EmulatorTokens } from './emulator-tokens.js';

/** @internal */
export interface AuthEndpointOptions {
  wrongSecretCode: 10014 | 10015;
  unifiedTokens: boolean;
}

/** What an endpoint was told, once the credentials in it are known to be right. */
interface Credentials {
  app: RegisteredApp;
  fields: Partial<Record<string, unknown>>;
}

/**
 * `auth/v3`: tokens for credentials. Failures are HTTP 200 with a `code`, and answers are flat, without `data`.
 *
 * @internal
 */
export class AuthEndpoints {
  constructor(
    private readonly apps: EmulatorApps,
    private readonly tokens: EmulatorTokens,
    private readonly tickets: EmulatorTickets,
    private readonly options: AuthEndpointOptions,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    const post = (path: string, handle: (request: EmulatorRequest) => Promise<EmulatorReply>): void =>
      endpoints.add('POST', `/open-apis/auth/v3${path}`, handle);
    post('/tenant_access_token/internal', (request) => this.tenantTokenOfSelfBuiltApp(request));
    post('/app_access_token/internal', (request) => this.appTokenOfSelfBuiltApp(request));
    post('/app_ticket/resend', (request) => this.resendTicket(request));
    post('/app_access_token', (request) => this.appTokenOfStoreApp(request));
    post('/tenant_access_token', (request) => this.tenantTokenOfStoreApp(request));
  }

  private async tenantTokenOfSelfBuiltApp(request: EmulatorRequest): Promise<EmulatorReply> {
    const credentials = await this.selfBuiltCredentials(request);
    if (isReply(credentials)) return credentials;
    const tenant = this.tokens.issue(tenantIdentity(credentials.app), 't-');
    return json({ code: 0, msg: 'ok', tenant_access_token: tenant.value, expire: tenant.expire });
  }

  private async appTokenOfSelfBuiltApp(request: EmulatorRequest): Promise<EmulatorReply> {
    const credentials = await this.selfBuiltCredentials(request);
    if (isReply(credentials)) return credentials;
    const { app } = credentials;
    const tenant = this.tokens.issue(tenantIdentity(app), 't-');
    const own = this.options.unifiedTokens
      ? tenant
      : this.tokens.issue({ kind: 'app', appId: app.appId }, 't-');
    // One `expire` for two tokens: it has to hold for both.
    const expire = Math.min(own.expire, tenant.expire);
    return json({
      code: 0,
      msg: 'ok',
      app_access_token: own.value,
      tenant_access_token: tenant.value,
      expire,
    });
  }

  private async resendTicket(request: EmulatorRequest): Promise<EmulatorReply> {
    const credentials = await this.credentials(request);
    if (isReply(credentials)) return credentials;
    const { appId, appType } = credentials.app;
    if (appType !== 'store') return failure(10016, 'app resend fail');
    this.tickets.create(appId);
    return { ...json({ code: 0, msg: 'success' }), afterwards: () => this.tickets.deliver(appId) };
  }

  private async appTokenOfStoreApp(request: EmulatorRequest): Promise<EmulatorReply> {
    const credentials = await this.credentials(request);
    if (isReply(credentials)) return credentials;
    const { app, fields } = credentials;
    const ticket = this.tickets.current(app.appId);
    if (ticket === undefined || fields['app_ticket'] !== ticket) return failure(10012, 'app_ticket invalid');
    const token = this.tokens.issue({ kind: 'app', appId: app.appId }, 'a-');
    return json({ code: 0, msg: 'success', app_access_token: token.value, expire: token.expire });
  }

  private async tenantTokenOfStoreApp(request: EmulatorRequest): Promise<EmulatorReply> {
    const fields = await request.fields();
    const appToken = fields?.['app_access_token'];
    const tenantKey = fields?.['tenant_key'];
    if (!isText(appToken) || !isText(tenantKey)) return invalidParameter();
    const identity = this.tokens.identify(appToken);
    const app = identity && this.apps.find(identity.appId);
    if (!app || identity.kind !== 'app' || app.appType !== 'store' || !this.tokens.isLive(appToken)) {
      return failure(99991664, 'invalid app_access_token');
    }
    if (app.disabled) return appUnavailable();
    if (!app.tenantKeys.has(tenantKey)) return failure(99991665, 'invalid tenant code');
    const token = this.tokens.issue({ kind: 'tenant', appId: app.appId, tenantKey }, 't-');
    return json({ code: 0, msg: 'success', tenant_access_token: token.value, expire: token.expire });
  }

  private async selfBuiltCredentials(request: EmulatorRequest): Promise<Credentials | EmulatorReply> {
    const credentials = await this.credentials(request);
    // 10005 reads "wrong app or tenant info", which is what a store app at a self-built app's endpoint is.
    if (!isReply(credentials) && credentials.app.appType === 'store') {
      return failure(10005, 'app id unauthorized');
    }
    return credentials;
  }

  private async credentials(request: EmulatorRequest): Promise<Credentials | EmulatorReply> {
    const fields = await request.fields();
    const appId = fields?.['app_id'];
    const appSecret = fields?.['app_secret'];
    if (!fields || !isText(appId) || !isText(appSecret)) return invalidParameter();
    const app = this.apps.find(appId);
    if (!app) return /^cli_\w+$/.test(appId) ? failure(10014, 'app id not exists') : invalidParameter();
    if (app.appSecret !== appSecret) return failure(this.options.wrongSecretCode, 'app secret invalid');
    if (app.disabled) return appUnavailable();
    return { app, fields };
  }
}

function tenantIdentity({ appId, ownTenantKey }: RegisteredApp): EmulatedIdentity {
  return { kind: 'tenant', appId, ...(ownTenantKey !== undefined && { tenantKey: ownTenantKey }) };
}

function invalidParameter(): EmulatorReply {
  return json({ code: 10003, data: {}, msg: 'invalid param' });
}

function appUnavailable(): EmulatorReply {
  return failure(10014, 'app unavailable');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isReply(value: Credentials | EmulatorReply): value is EmulatorReply {
  return 'status' in value;
}
