import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';
import { withSignal } from '../time/deadline.js';
import { type FeishuUser } from '../users/feishu-user.js';
import { type UserEngine } from '../users/user-engine.js';
import { type UserLoginStatus } from '../users/user-login-status.js';
import {
  type AuthorizationUrl,
  authorizationUrl,
  checkedRedirectUri,
  checkedScopes,
  isCode,
} from './authorization-url.js';
import { DeviceLogin, type FeishuDeviceLogin } from './device-login.js';
import { LoginCompletion } from './login-completion.js';

/**
 * @publicApi
 */
export interface AuthorizationUrlOptions {
  /** Absolute and registered in the developer console. @default the option `users.redirectUri` */
  redirectUri?: string;
  /** What to ask the user for. @default the option `users.scopes` */
  scopes?: readonly string[];
  /** Comes back to the redirect URI. @default 32 random bytes */
  state?: string;
  /** Shows Feishu's page also where Feishu would go on without it: for scopes that the user has not granted yet. */
  prompt?: 'consent';
}

/**
 * @publicApi
 */
export interface ExchangeCodeOptions {
  /** The `code` that came to the redirect URI. */
  code: string;
  /** As `createAuthorizationUrl` returned it. */
  codeVerifier?: string;
  /** The same as in the authorization URL. @default the option `users.redirectUri` */
  redirectUri?: string;
  /** Ends the waiting. What was sent by then is completed and stored: a code is good for one use. */
  signal?: AbortSignal;
}

/**
 * @publicApi
 */
export interface StepUpOptions extends Omit<AuthorizationUrlOptions, 'scopes' | 'prompt'> {
  /** Whose login lacks scopes. */
  openId: string;
  /** What it lacks: `missingScopes` of the error. */
  missingScopes: readonly string[];
}

/** @internal */
export interface FeishuLoginServiceOptions {
  readonly appId: string;
  readonly clock: Clock;
  /** Absent without the option `users`. */
  readonly users: UserEngine | undefined;
  readonly redirectUri: string | undefined;
  readonly scopes: readonly string[];
}

const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/**
 * Logs users in and out. With `loginPath` there is an endpoint that does it; the methods here are for an endpoint of your
 * own, for machines without a browser, and for what comes after a login.
 *
 * All methods throw `ERR_FEISHU_CONFIG_INVALID` without the option `users`.
 *
 * @publicApi
 */
@FeishuService('FeishuLoginService')
export class FeishuLoginService {
  readonly #options: FeishuLoginServiceOptions;
  readonly #completion: LoginCompletion | undefined;
  readonly #closing = new AbortController();

  /** @internal */
  constructor(options: FeishuLoginServiceOptions) {
    this.#options = options;
    const { users, clock } = options;
    this.#completion = users && new LoginCompletion({ grants: users.grants, logins: users.logins, clock });
  }

  /**
   * Where to send the browser, with PKCE (S256). Keep `state` and `codeVerifier` for this browser until it comes back, and
   * accept no other `state` from it.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  createAuthorizationUrl(o: AuthorizationUrlOptions = {}): AuthorizationUrl {
    const { appId, redirectUri, scopes } = this.#options;
    const { state, prompt } = o;
    if (state !== undefined && (typeof state !== 'string' || state === '')) {
      throw invalid('state must be a text that is not empty');
    }
    return authorizationUrl({
      endpoint: this.users.endpoints.authorize,
      appId,
      redirectUri: checkedRedirectUri(o.redirectUri ?? redirectUri),
      scopes: checkedScopes(o.scopes ?? scopes),
      state,
      prompt,
    });
  }

  /**
   * Where to send the browser for scopes that a login lacks: as {@link createAuthorizationUrl}, for the scopes that every
   * login asks for, those that the user has granted, and the missing ones. Feishu shows its page.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`, `ERR_FEISHU_USER_STORE_UNAVAILABLE`
   */
  async createStepUpUrl(o: StepUpOptions): Promise<AuthorizationUrl> {
    const { openId, missingScopes, ...rest } = o;
    const { scopes: granted } = await this.status(openId);
    const scopes = [...this.#options.scopes, ...granted, ...checkedScopes(missingScopes)];
    return this.createAuthorizationUrl({ ...rest, scopes, prompt: 'consent' });
  }

  /**
   * Exchanges the code that came to the redirect URI, asks Feishu who the user is, and stores the login in place of the
   * user's earlier one.
   *
   * @returns the user, once the login is stored
   * @throws FeishuAuthError `ERR_FEISHU_LOGIN_REJECTED` if Feishu refuses the code, the redirect URI or the verifier
   * @throws FeishuAuthError `ERR_FEISHU_REAUTHORIZATION_REQUIRED` (`reason: 'user-disabled'`),
   *   `ERR_FEISHU_ACCESS_CHALLENGED`, `ERR_FEISHU_CREDENTIALS_REJECTED`, `ERR_FEISHU_PLATFORM_UNAVAILABLE`,
   *   `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_INVALID_ARGUMENT`: the user has to log in again
   * @throws the reason of `signal`
   */
  async exchangeCode(o: ExchangeCodeOptions): Promise<FeishuUser> {
    const { grants } = this.users;
    const { code, codeVerifier, signal } = o;
    if (!isCode(code)) {
      throw invalid('code must be the code that came to the redirect URI');
    }
    if (codeVerifier !== undefined && !(typeof codeVerifier === 'string' && VERIFIER.test(codeVerifier))) {
      throw invalid('codeVerifier must be the one that createAuthorizationUrl() returned');
    }
    const redirectUri = checkedRedirectUri(o.redirectUri ?? this.#options.redirectUri);
    signal?.throwIfAborted();
    const work = grants
      .exchangeCode({ code, codeVerifier, redirectUri })
      .then((grant) => this.completion.complete(grant));
    return signal ? withSignal(work, signal) : work;
  }

  /**
   * What is known of a user's login, without asking Feishu.
   *
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async status(openId: string): Promise<UserLoginStatus> {
    return this.users.logins.status(openId);
  }

  /**
   * Ends a user's login in the store, for all processes, and at Feishu. A revocation that fails is logged; the login is over
   * nevertheless. Sessions of the application are its own to end.
   *
   * @param o.revoke `false`: Feishu is not told, and the tokens end by themselves
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async logout(openId: string, o: { revoke?: boolean } = {}): Promise<void> {
    await this.users.logins.logout(openId, o);
  }

  /**
   * Begins the login of a machine without a browser: the user confirms it on another device. Not in Feishu's documentation;
   * the official command line tool logs in this way.
   *
   * @throws FeishuAuthError `ERR_FEISHU_CREDENTIALS_REJECTED`, `ERR_FEISHU_PLATFORM_UNAVAILABLE`,
   *   `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async startDeviceLogin(o: { scopes?: readonly string[] } = {}): Promise<FeishuDeviceLogin> {
    const { grants } = this.users;
    const { clock, scopes } = this.#options;
    const startedAt = clock.now();
    const authorization = await grants.authorizeDevice(checkedScopes(o.scopes ?? scopes));
    const expiresAt = startedAt + authorization.expiresInMs;
    const login = new DeviceLogin(authorization, expiresAt, {
      grants,
      clock,
      complete: (grant) => this.completion.complete(grant),
      closing: this.#closing.signal,
    });
    const { userCode, verificationUri, verificationUriComplete } = authorization;
    return {
      userCode,
      verificationUri,
      ...(verificationUriComplete !== undefined && { verificationUriComplete }),
      expiresAt: new Date(expiresAt),
      wait: (options) => login.wait(options),
    };
  }

  /** @internal */
  beforeApplicationShutdown(): void {
    this.#closing.abort();
  }

  private get users(): UserEngine {
    const { users } = this.#options;
    if (users) return users;
    throw new FeishuAuthError(
      'ERR_FEISHU_CONFIG_INVALID',
      'logins need the option `users`: FeishuAuthModule.forRoot({ ..., users: { store } })',
    );
  }

  private get completion(): LoginCompletion {
    if (this.#completion) return this.#completion;
    throw new Error('unreachable: users is set');
  }
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}
