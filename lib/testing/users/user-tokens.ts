import { randomBytes, randomUUID } from 'node:crypto';
import { type EmulatorClock } from '../emulator-clock.js';
import { type EmulatedIdentity } from '../emulator-tokens.js';
import { type EmulatedLogin, type LoginGrant, type OAuthEndpoint } from './emulated-login.js';
import { type RegisteredUser, type UserDirectory } from './emulated-user.js';

const DAY_MS = 86_400_000;
/** However often a login is rotated, a year after the user's grant it is over. */
const FAMILY_LIFETIME_MS = 365 * DAY_MS;
const OFFLINE_ACCESS = 'offline_access';

/** @internal */
export interface UserTokenPolicy {
  accessTokenLifetimeSeconds: number;
  refreshTokenLifetimeSeconds: number;
  usedRefreshTokenCode: 20064 | 20073;
  replayRevokesFamily: boolean;
}

/** What a user has granted, once the token endpoint has checked it. @internal */
export interface UserGrant {
  appId: string;
  user: RegisteredUser;
  tenantKey: string;
  scopes: readonly string[];
}

/** @internal */
export interface RotationRequest {
  appId: string;
  refreshToken: string;
  endpoint: OAuthEndpoint;
  /** As sent: it may only narrow. */
  scope: string | undefined;
}

/** All tokens that come from one authorization. */
interface Family extends UserGrant {
  readonly id: string;
  readonly grantedAt: number;
  generation: number;
}

interface RefreshToken {
  readonly family: Family;
  readonly endpoint: OAuthEndpoint;
  readonly expiresAt: number;
  state: 'live' | 'used' | 'revoked';
}

interface AccessToken {
  readonly family: Family;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  revoked: boolean;
}

/**
 * Every user access token and refresh token that was issued. A refresh token is good for one use, and the access token
 * beside it lives on after that use.
 *
 * @internal
 */
export class UserTokens {
  /** In the order in which they happened. */
  readonly logins: EmulatedLogin[] = [];
  private readonly accessTokens = new Map<string, AccessToken>();
  private readonly refreshTokens = new Map<string, RefreshToken>();

  constructor(
    private readonly clock: EmulatorClock,
    private readonly users: UserDirectory,
    private readonly policy: UserTokenPolicy,
  ) {}

  /** A user has logged in. @returns the exchange, or the code of the refusal */
  begin(
    grant: UserGrant,
    how: Exclude<LoginGrant, 'refresh_token'>,
    endpoint: OAuthEndpoint,
    scope: string | undefined,
  ): EmulatedLogin | number {
    const scopes = narrowed(grant.scopes, scope);
    if (typeof scopes === 'number') return scopes;
    const refusal = refusalOf(grant.user);
    if (refusal !== undefined) return refusal;
    const family: Family = { ...grant, id: randomUUID(), grantedAt: this.clock.now(), generation: 1 };
    return this.issue(family, how, endpoint, scopes);
  }

  /** @returns the exchange, or the code of the refusal */
  rotate({ appId, refreshToken, endpoint, scope }: RotationRequest): EmulatedLogin | number {
    const token = this.refreshTokens.get(refreshToken);
    // v2 does not take what v3 has issued.
    if (!token || (endpoint === 'v2' && token.endpoint === 'v3')) return 20026;
    const { family } = token;
    if (family.appId !== appId) return 20024;
    if (token.state === 'used') {
      if (this.policy.replayRevokesFamily) this.revokeFamily(family);
      return this.policy.usedRefreshTokenCode;
    }
    if (token.state === 'revoked') return 20064;
    const now = this.clock.now();
    if (now >= token.expiresAt || now >= family.grantedAt + FAMILY_LIFETIME_MS) return 20037;
    const refusal = refusalOf(family.user);
    if (refusal !== undefined) return refusal;
    const scopes = narrowed(family.scopes, scope);
    if (typeof scopes === 'number') return scopes;
    token.state = 'used';
    family.generation += 1;
    return this.issue(family, 'refresh_token', endpoint, scopes);
  }

  /** Seconds that remain of a refresh token that was just issued. */
  get refreshTokenLifetimeSeconds(): number {
    return this.policy.refreshTokenLifetimeSeconds;
  }

  get accessTokenLifetimeSeconds(): number {
    return this.policy.accessTokenLifetimeSeconds;
  }

  /** Whom the access token stands for, whether or not it still works. */
  identify(accessToken: string): EmulatedIdentity | undefined {
    const token = this.accessTokens.get(accessToken);
    if (!token) return undefined;
    const { appId, tenantKey, user } = token.family;
    return { kind: 'user', appId, tenantKey, openId: user.openId, scopes: token.scopes };
  }

  /** The user of an access token; `undefined` if it was never issued, or long ago. */
  userOf(accessToken: string): RegisteredUser | undefined {
    const openId = this.accessTokens.get(accessToken)?.family.user.openId;
    return openId === undefined ? undefined : this.users.find(openId);
  }

  /** Whether the access token has not ended; the user's own status aside. */
  isAlive(accessToken: string): boolean {
    const token = this.accessTokens.get(accessToken);
    return token !== undefined && !token.revoked && this.clock.now() < token.expiresAt;
  }

  isLive(accessToken: string): boolean {
    return this.isAlive(accessToken) && this.userOf(accessToken)?.status === 'active';
  }

  /** Ends this one token, of either kind. @returns whether it was issued to that app; to any app unless told */
  revoke(value: string, appId?: string): boolean {
    const access = this.accessTokens.get(value);
    const refresh = this.refreshTokens.get(value);
    const token = access ?? refresh;
    if (!token || (appId !== undefined && token.family.appId !== appId)) return false;
    if (access) access.revoked = true;
    if (refresh?.state === 'live') refresh.state = 'revoked';
    return true;
  }

  /** Ends all tokens of one user at one app, of one kind or both. */
  revokeUser(appId: string, openId: string, tokens: 'both' | 'access' | 'refresh'): void {
    const isTheirs = ({ family }: AccessToken | RefreshToken): boolean =>
      family.appId === appId && family.user.openId === openId;
    if (tokens !== 'refresh') {
      for (const token of this.accessTokens.values()) if (isTheirs(token)) token.revoked = true;
    }
    if (tokens !== 'access') {
      for (const token of this.refreshTokens.values()) {
        if (isTheirs(token) && token.state === 'live') token.state = 'revoked';
      }
    }
  }

  private revokeFamily(family: Family): void {
    for (const token of this.accessTokens.values()) if (token.family === family) token.revoked = true;
    for (const token of this.refreshTokens.values()) {
      if (token.family === family && token.state === 'live') token.state = 'revoked';
    }
  }

  private issue(
    family: Family,
    grant: LoginGrant,
    endpoint: OAuthEndpoint,
    scopes: readonly string[],
  ): EmulatedLogin {
    const at = this.clock.now();
    this.forgetExpired(at);
    const accessToken = tokenValue();
    this.accessTokens.set(accessToken, {
      family,
      scopes,
      expiresAt: at + this.policy.accessTokenLifetimeSeconds * 1_000,
      revoked: false,
    });
    const refreshToken = scopes.includes(OFFLINE_ACCESS) ? tokenValue() : undefined;
    if (refreshToken !== undefined) {
      const expiresAt = at + this.policy.refreshTokenLifetimeSeconds * 1_000;
      this.refreshTokens.set(refreshToken, { family, endpoint, expiresAt, state: 'live' });
    }
    const login: EmulatedLogin = {
      appId: family.appId,
      openId: family.user.openId,
      grant,
      endpoint,
      at,
      familyId: family.id,
      generation: family.generation,
      scopes,
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
    };
    this.logins.push(login);
    return login;
  }

  // All access tokens live equally long, so the oldest come first and the walk ends at the first live one.
  private forgetExpired(now: number): void {
    for (const [value, { expiresAt }] of this.accessTokens) {
      if (expiresAt > now) return;
      this.accessTokens.delete(value);
    }
  }
}

/** As long as the real ones, which are 1 to 2 KB. */
function tokenValue(): string {
  return `eyJ${randomBytes(900).toString('base64url')}`;
}

/** What is left of `granted` when only `scope` is asked for; or the code of the refusal. */
function narrowed(granted: readonly string[], scope: string | undefined): readonly string[] | number {
  const wanted = scopeList(scope);
  if (wanted.length === 0) return granted;
  if (new Set(wanted).size < wanted.length) return 20067;
  return wanted.every((name) => granted.includes(name)) ? wanted : 20068;
}

/** The names in a space-separated list. @internal */
export function scopeList(scope: string | null | undefined): string[] {
  return (scope ?? '').split(/\s+/).filter((name) => name !== '');
}

function refusalOf({ status }: RegisteredUser): number | undefined {
  switch (status) {
    case 'active':
      return undefined;
    case 'deleted':
      return 20008;
    case 'no-permission':
      return 20010;
    case 'frozen':
    case 'resigned':
      return 20066;
  }
}
