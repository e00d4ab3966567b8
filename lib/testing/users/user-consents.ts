import { type EmulatorApps, type RegisteredApp } from '../emulator-apps.js';
import { type AuthorizationCodes, type CodeChallenge } from './authorization-codes.js';
import { type DeviceLogin } from './device-logins.js';
import { type RegisteredUser } from './emulated-user.js';
import { scopeList, type UserGrant } from './user-tokens.js';

const OFFLINE_ACCESS = 'offline_access';
/** What every login may see: who the user is. */
const BASE_SCOPE = 'auth:user.id:read';
const MAX_SCOPES = 50;

/** What an application asks a user for. @internal */
export interface AuthorizationRequest {
  readonly app: RegisteredApp;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly challenge: CodeChallenge | undefined;
}

/** What Feishu shows to the user, because the request cannot be answered at its `redirect_uri`. @internal */
export interface PageError {
  /** 20027 and 20029 are Feishu's; the others have none. */
  readonly code: number;
  readonly message: string;
}

/**
 * What users have granted to apps. It adds up: a new login has all that its user ever granted, but for
 * `offline_access`, which has to be asked for every time.
 *
 * @internal
 */
export class UserConsents {
  private readonly granted = new Map<string, Set<string>>();

  constructor(
    private readonly apps: EmulatorApps,
    private readonly codes: AuthorizationCodes,
  ) {}

  /** Reads the query of the authorize URL. */
  read(query: URLSearchParams): AuthorizationRequest | PageError {
    // `app_id` is what the older authorize pages were called with, and still works.
    const app = this.apps.find(query.get('client_id') ?? query.get('app_id') ?? '');
    if (!app) return pageError('there is no such app: client_id is wrong');
    if (app.disabled) return pageError('the app is disabled');
    const responseType = query.get('response_type');
    if (query.has('client_id') && responseType !== 'code') {
      return pageError(`response_type must be 'code', not ${responseType === null ? 'absent' : 'this one'}`);
    }
    const redirectUri = query.get('redirect_uri');
    if (redirectUri === null || !isRegistered(app, redirectUri)) {
      return { code: 20029, message: 'redirect_uri is not registered for this app' };
    }
    const scopes = [...new Set(scopeList(query.get('scope')))];
    if (scopes.length > MAX_SCOPES) return pageError(`scope has more than ${MAX_SCOPES} names`);
    const disabledScopes = this.disabledScopes(app, scopes);
    if (disabledScopes.length > 0) {
      return { code: 20027, message: `scope not enabled for this app: ${disabledScopes.join(' ')}` };
    }
    const challenge = challengeOf(query);
    if (challenge === 'invalid') return pageError('code_challenge_method must be S256 or plain');
    return { app, redirectUri, scopes, state: query.get('state') ?? undefined, challenge };
  }

  disabledScopes(app: RegisteredApp, scopes: readonly string[]): string[] {
    return scopes.filter((scope) => app.scopes && !app.scopes.has(scope));
  }

  /**
   * The user says yes.
   *
   * @param approved the scopes that the user ticked
   * @returns where the browser goes, with a code
   */
  approve(request: AuthorizationRequest, user: RegisteredUser, approved = request.scopes): string {
    const { app, redirectUri, challenge, state } = request;
    const grant = this.grant(app, user, request.scopes, approved);
    const code = this.codes.create({ ...grant, redirectUri, challenge });
    return callbackUrl(redirectUri, { code, state });
  }

  /** The user says no. @returns where the browser goes */
  deny({ redirectUri, state }: AuthorizationRequest): string {
    return callbackUrl(redirectUri, { error: 'access_denied', state });
  }

  approveDevice(login: DeviceLogin, user: RegisteredUser, approved = login.scopes): void {
    const app = this.apps.find(login.appId);
    if (!app) throw new Error(`there is no app ${login.appId} any more`);
    login.decision = this.grant(app, user, login.scopes, approved);
  }

  denyDevice(login: DeviceLogin): void {
    login.decision = 'denied';
  }

  private grant(
    app: RegisteredApp,
    user: RegisteredUser,
    requested: readonly string[],
    approved: readonly string[],
  ): UserGrant {
    const key = JSON.stringify([app.appId, user.openId]);
    const before = this.granted.get(key) ?? [BASE_SCOPE];
    const now = new Set([...before, ...requested.filter((scope) => approved.includes(scope))]);
    const isOffline = now.delete(OFFLINE_ACCESS);
    this.granted.set(key, now);
    const scopes = isOffline ? [...now, OFFLINE_ACCESS] : [...now];
    return {
      appId: app.appId,
      user,
      tenantKey: user.tenantKey ?? app.ownTenantKey ?? DEFAULT_TENANT,
      scopes,
    };
  }
}

const DEFAULT_TENANT = 'tenant_emulator';

/** @internal */
export function isPageError(result: AuthorizationRequest | PageError): result is PageError {
  return 'message' in result;
}

function pageError(message: string): PageError {
  return { code: 0, message };
}

function isRegistered({ redirectUris }: RegisteredApp, redirectUri: string): boolean {
  if (!URL.canParse(redirectUri) || !/^https?:$/.test(new URL(redirectUri).protocol)) return false;
  return redirectUris ? redirectUris.has(redirectUri) : true;
}

/** Without a method it is `plain`, as documented. */
function challengeOf(query: URLSearchParams): CodeChallenge | 'invalid' | undefined {
  const value = query.get('code_challenge');
  if (value === null) return undefined;
  const method = query.get('code_challenge_method') ?? 'plain';
  return method === 'S256' || method === 'plain' ? { value, method } : 'invalid';
}

/** A fragment of the redirect URI comes after the query that is added. */
function callbackUrl(redirectUri: string, answer: Record<string, string | undefined>): string {
  const hashAt = redirectUri.indexOf('#');
  const before = hashAt === -1 ? redirectUri : redirectUri.slice(0, hashAt);
  const fragment = hashAt === -1 ? '' : redirectUri.slice(hashAt);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(answer)) if (value !== undefined) query.set(name, value);
  return `${before}${before.includes('?') ? '&' : '?'}${query.toString()}${fragment}`;
}
