import { type EmulatorTickets } from './emulator-tickets.js';
import { type EmulatorTokens } from './emulator-tokens.js';
import { type AppType } from '../platform/app-type.js';

/**
 * An app as the emulated platform knows it.
 *
 * @publicApi
 */
export interface EmulatedApp {
  /** Feishu's look like `cli_a1b2c3d4e5f6`. */
  appId: string;
  appSecret: string;
  /** @default 'self-built' */
  appType?: AppType;
  /** The tenants that installed a store app. Of a self-built app the first is its own tenant. @default [] */
  tenantKeys?: readonly string[];
  /** What the consent page calls it. @default its `appId` */
  name?: string;
  /** The redirect URIs that are registered for logins; any other is refused with 20029. @default every one is taken */
  redirectUris?: readonly string[];
  /** The scopes that are enabled for users; a login that asks for another is refused with 20027. @default all */
  scopes?: readonly string[];
  /** `false`: the app may not refresh user access tokens, which is refused with 20074. @default true */
  refreshesUserTokens?: boolean;
}

/** @internal */
export interface RegisteredApp {
  readonly appId: string;
  readonly appType: AppType;
  readonly ownTenantKey: string | undefined;
  readonly tenantKeys: Set<string>;
  readonly name: string;
  readonly redirectUris: ReadonlySet<string> | undefined;
  readonly scopes: ReadonlySet<string> | undefined;
  readonly refreshesUserTokens: boolean;
  appSecret: string;
  disabled: boolean;
}

/**
 * The apps at the platform, and what an administrator does to them while others use them.
 *
 * @publicApi
 */
export class EmulatorApps {
  private readonly apps = new Map<string, RegisteredApp>();

  /** @internal */
  constructor(
    private readonly tickets: EmulatorTickets,
    private readonly tokens: EmulatorTokens,
  ) {}

  /** Creates an app. One with the same `appId` is replaced; the tokens it was given live on. */
  add(app: EmulatedApp): void {
    const { appId, appSecret, appType = 'self-built', tenantKeys = [] } = app;
    if (!appId || !appSecret) throw new TypeError('an app needs an appId and an appSecret');
    this.apps.set(appId, {
      appId,
      appType,
      ownTenantKey: appType === 'self-built' ? tenantKeys[0] : undefined,
      tenantKeys: new Set(tenantKeys),
      name: app.name ?? appId,
      redirectUris: app.redirectUris && new Set(app.redirectUris),
      scopes: app.scopes && new Set(app.scopes),
      refreshesUserTokens: app.refreshesUserTokens ?? true,
      appSecret,
      disabled: false,
    });
    if (appType === 'store') this.tickets.create(appId);
  }

  /** An administrator reset the secret in the console. Tokens stay valid; the documentation says nothing else. */
  setSecret(appId: string, appSecret: string): void {
    this.get(appId).appSecret = appSecret;
  }

  /** An administrator disabled the app: no token is issued to it, and no API serves it. */
  disable(appId: string): void {
    this.get(appId).disabled = true;
  }

  /** The app works again, and so do those of its tokens that have not expired. */
  enable(appId: string): void {
    this.get(appId).disabled = false;
  }

  /** A tenant installs the app. */
  addTenant(appId: string, tenantKey: string): void {
    this.get(appId).tenantKeys.add(tenantKey);
  }

  /** A tenant uninstalls the app: its tokens end, and it gets none until it is added again. */
  removeTenant(appId: string, tenantKey: string): void {
    this.get(appId).tenantKeys.delete(tenantKey);
    this.tokens.revokeTenant(appId, tenantKey);
  }

  /** The `app_ticket` of a store app that works now, which the application does not know until it was delivered. */
  ticket(appId: string): string {
    const ticket = this.tickets.current(appId);
    if (ticket === undefined)
      throw new Error(`${appId} has no app_ticket: it is no store app, or its ticket expired`);
    return ticket;
  }

  /** Whether users of this tenant can use the app: a self-built app is always installed. @internal */
  isInstalledIn(appId: string, tenantKey: string): boolean {
    const { appType, tenantKeys } = this.get(appId);
    return appType === 'self-built' || tenantKeys.has(tenantKey);
  }

  /** The id of the app, where there is one only. @internal */
  only(): string {
    const [appId, ...others] = this.apps.keys();
    if (appId === undefined) throw new Error('there is no app: add one with emulator.apps.add()');
    if (others.length > 0) throw new Error('there is more than one app: say which, by its appId');
    return appId;
  }

  /** @internal */
  find(appId: string): RegisteredApp | undefined {
    return this.apps.get(appId);
  }

  private get(appId: string): RegisteredApp {
    const app = this.apps.get(appId);
    if (!app) throw new Error(`there is no app ${appId}: add it with emulator.apps.add()`);
    return app;
  }
}
