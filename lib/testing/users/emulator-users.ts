import { type EmulatorApps } from '../emulator-apps.js';
import { type EmulatedDelivery, type EmulatorEvents } from '../emulator-events.js';
import { type DeviceLogin, type DeviceLogins } from './device-logins.js';
import {
  type EmulatedUser,
  type EmulatedUserStatus,
  type RegisteredUser,
  type UserDirectory,
} from './emulated-user.js';
import { type AuthorizationRequest, isPageError, type UserConsents } from './user-consents.js';
import { type UserTokens } from './user-tokens.js';

/**
 * Who decides on a login, and on what.
 *
 * @publicApi
 */
export interface EmulatedDecision {
  /** @default the user that signed in last, else the first that was added */
  openId?: string;
  /** The scopes that the user ticks. @default all that the application asks for */
  scopes?: readonly string[];
}

/**
 * What follows from a decision.
 *
 * @publicApi
 */
export interface EmulatedCallback {
  /** Where the browser goes: the application's `redirect_uri`, with the answer. Empty for a device. */
  readonly url: string;
  /** The authorization code; absent for a device, and after a denial. */
  readonly code?: string;
  /** The `state` of the authorization request. */
  readonly state?: string;
}

/**
 * @publicApi
 */
export interface EmulatedRevocation {
  /** @default the only app */
  appId?: string;
  /** Which tokens end. @default 'both' */
  tokens?: 'both' | 'access' | 'refresh';
  /** Who ended them, in the words of the event. @default 'user' */
  by?: 'user' | 'administrator' | 'security and risk control' | 'restriction' | 'unknown';
  /** `false`: the app is not told. @default true, if it has an event URL */
  event?: boolean;
}

/**
 * The people who log in: what they decide, and what becomes of them.
 *
 * @example
 * emulator.users.add({ openId: 'ou_ann', name: 'Ann' });
 * const { url, state, codeVerifier } = logins.createAuthorizationUrl();
 * const { code } = emulator.users.approve(url, { openId: 'ou_ann' });
 *
 * @publicApi
 */
export class EmulatorUsers {
  /** @internal */
  constructor(
    private readonly apps: EmulatorApps,
    private readonly events: EmulatorEvents,
    private readonly directory: UserDirectory,
    private readonly consents: UserConsents,
    private readonly devices: DeviceLogins,
    private readonly tokens: UserTokens,
  ) {}

  /** Creates a user, or replaces the one with this `openId`. Every app knows a user by the same `openId` here. */
  add(user: EmulatedUser): void {
    this.directory.add(user);
  }

  /** From now on this user sits at the browser: the consent page names them first, and auto-approval is theirs. */
  signIn(openId: string): void {
    this.directory.signIn(openId);
  }

  /**
   * Decides yes, without a browser: on an authorization URL, or on a device login (its user code, or the URL with it).
   *
   * @throws Error if Feishu would show an error page instead, as for an unregistered `redirect_uri`
   */
  approve(target: string | URL, { openId, scopes }: EmulatedDecision = {}): EmulatedCallback {
    const user = this.decider(openId);
    const subject = this.subject(target);
    if ('deviceCode' in subject) {
      this.consents.approveDevice(subject, user, scopes);
      return { url: '' };
    }
    return callback(this.consents.approve(subject, user, scopes));
  }

  /** Decides no; see {@link approve}. The URL says `error=access_denied`. */
  deny(target: string | URL): EmulatedCallback {
    const subject = this.subject(target);
    if ('deviceCode' in subject) {
      this.consents.denyDevice(subject);
      return { url: '' };
    }
    return callback(this.consents.deny(subject));
  }

  /** What an administrator does to a user: from now on tokens are refused, and logins too; `active` heals that. */
  setStatus(openId: string, status: EmulatedUserStatus): void {
    this.directory.get(openId).status = status;
  }

  /**
   * Ends the user's logins at an app, and pushes `auth.user_access_token.revoked_v4`, whose `revoke_token_type` ends
   * with a space, as Feishu's does.
   *
   * @returns what became of the event; `undefined` if none was pushed
   */
  async revoke(openId: string, options: EmulatedRevocation = {}): Promise<EmulatedDelivery | undefined> {
    const { appId = this.apps.only(), tokens = 'both', by = 'user', event = true } = options;
    const user = this.directory.get(openId);
    this.tokens.revokeUser(appId, openId, tokens);
    if (!event || !this.events.isSubscribed(appId)) return undefined;
    return this.events.push(appId, {
      type: 'auth.user_access_token.revoked_v4',
      ...(user.tenantKey !== undefined && { tenantKey: user.tenantKey }),
      event: {
        revoke_token_type: TOKEN_TYPES[tokens],
        revoke_reason: `Revoked by ${by} action.`,
        open_id: user.openId,
        union_id: user.unionId,
        ...(user.userId !== undefined && { user_id: user.userId }),
      },
    });
  }

  private decider(openId: string | undefined): RegisteredUser {
    const user = openId === undefined ? this.directory.current() : this.directory.get(openId);
    if (!user) throw new Error('there is no user: add one with emulator.users.add()');
    return user;
  }

  private subject(target: string | URL): AuthorizationRequest | DeviceLogin {
    const text = String(target);
    const query = URL.canParse(text) ? new URL(text).searchParams : undefined;
    const userCode = query ? query.get('user_code') : text;
    if (userCode !== null) {
      const login = this.devices.waiting(userCode);
      if (!login) throw new Error('no device login waits with this user code: it is wrong, used, or too old');
      return login;
    }
    const request = this.consents.read(query ?? new URLSearchParams());
    if (isPageError(request)) throw new Error(`Feishu would show an error page: ${request.message}`);
    return request;
  }
}

const TOKEN_TYPES = {
  both: 'user_access_token refresh_token ',
  access: 'user_access_token ',
  refresh: 'refresh_token ',
} as const;

function callback(url: string): EmulatedCallback {
  const { searchParams } = new URL(url);
  const code = searchParams.get('code');
  const state = searchParams.get('state');
  return { url, ...(code !== null && { code }), ...(state !== null && { state }) };
}
