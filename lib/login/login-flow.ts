import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { type ThrottledLog } from '../time/throttled-log.js';
import { type FeishuUser } from '../users/feishu-user.js';
import { FeishuLoginException, type FeishuLoginFailure } from './feishu-login.exception.js';
import { isCode, isScope } from './authorization-url.js';
import { type FeishuLoginService } from './feishu-login.service.js';
import { type LoginCookie, type LoginCookies, MAX_COOKIES } from './login-cookies.js';
import { isSameText, type PendingLogin, type PendingLoginSeal } from './pending-login.js';
import { localPath } from './return-to.js';
import { type UsedStates } from './used-states.js';

/** How long the user may take at Feishu. */
export const LOGIN_LIFETIME_MS = 20 * 60_000;

/** @internal */
export interface LoginFlowOptions {
  readonly logins: Pick<FeishuLoginService, 'createAuthorizationUrl' | 'exchangeCode'>;
  readonly cookies: LoginCookies;
  readonly seal: PendingLoginSeal;
  readonly states: UsedStates;
  readonly clock: Clock;
  /** What every login asks for. */
  readonly scopes: readonly string[];
  readonly log: ThrottledLog;
}

/** What the browser sent. */
export interface LoginRequest {
  readonly query: URLSearchParams;
  readonly cookieHeader: string | undefined;
  /** Where Feishu sends the browser back to. */
  readonly redirectUri: string;
}

/** A login that came back from Feishu. */
export interface ReturnedLogin {
  readonly user: FeishuUser;
  readonly returnTo: string;
}

/**
 * A login by browser: away to Feishu, and back. In between, what belongs to the login is sealed in a cookie of this browser.
 */
export class LoginFlow {
  readonly #options: LoginFlowOptions;

  constructor(options: LoginFlowOptions) {
    this.#options = options;
  }

  /**
   * @returns where to send the browser, and the cookies to set
   * @throws FeishuLoginException
   */
  begin({ query, cookieHeader, redirectUri }: LoginRequest): { location: string; setCookies: string[] } {
    const { logins, cookies, seal, clock } = this.#options;
    const returnTo = localPath(onlyValue(query, 'returnTo', '/') ?? '');
    const scopes = this.scopes(onlyValue(query, 'scope', ''));
    if (returnTo === undefined || scopes === undefined) {
      throw new FeishuLoginException('invalid-request', 'ERR_FEISHU_INVALID_ARGUMENT');
    }
    const { url, state, codeVerifier } = logins.createAuthorizationUrl({ redirectUri, ...scopes });
    const expiresAt = clock.now() + LOGIN_LIFETIME_MS;
    const sealed = seal.seal({ state, codeVerifier, redirectUri, returnTo, expiresAt });
    const name = cookies.nameOf(state, redirectUri.startsWith('https:'));
    const surplus = this.surplus(cookies.read(cookieHeader));
    return {
      location: url,
      setCookies: [...surplus.map((one) => cookies.clear(one)), cookies.set(name, sealed, LOGIN_LIFETIME_MS)],
    };
  }

  /** The login that this callback belongs to, and the cookie that it used up. */
  find(
    request: Pick<LoginRequest, 'query' | 'cookieHeader'>,
  ): { pending: PendingLogin; clearCookie: string } | undefined {
    const { cookies, seal, clock } = this.#options;
    const state = onlyValue(request.query, 'state');
    if (state === undefined || state === '') return undefined;
    const names = [cookies.nameOf(state, true), cookies.nameOf(state, false)];
    const cookie = cookies.read(request.cookieHeader).find(({ name }) => names.includes(name));
    const pending = cookie && seal.open(cookie.value);
    if (!pending || !isSameText(pending.state, state) || clock.now() >= pending.expiresAt) return undefined;
    return { pending, clearCookie: cookies.clear(cookie.name) };
  }

  /**
   * Ends the login that {@link find} found.
   *
   * @throws FeishuLoginException
   */
  async finish(query: URLSearchParams, pending: PendingLogin | undefined): Promise<ReturnedLogin> {
    const error = onlyValue(query, 'error');
    const isDenied = error === 'access_denied';
    // Feishu may leave the state out when the user says no. That ends nothing.
    if (!pending) throw rejected(isDenied && !query.has('state') ? 'denied' : 'invalid-state');
    if (!(await this.#options.states.use(pending.state))) throw rejected('invalid-state');
    if (isDenied) throw rejected('denied');
    const code = onlyValue(query, 'code');
    if (error !== undefined || code === undefined || !isCode(code)) throw rejected('rejected');
    const { codeVerifier, redirectUri, returnTo } = pending;
    try {
      const user = await this.#options.logins.exchangeCode({ code, codeVerifier, redirectUri });
      return { user, returnTo };
    } catch (failure) {
      throw this.failed(failure);
    }
  }

  /** More scopes than every login asks for. Feishu then always shows its page, also where it would go on without. */
  private scopes(more: string | undefined): { scopes?: readonly string[]; prompt?: 'consent' } | undefined {
    if (more === undefined) return undefined;
    const names = more.split(' ').filter((name) => name !== '');
    if (names.length === 0) return {};
    if (!names.every(isScope)) return undefined;
    return { scopes: [...new Set([...this.#options.scopes, ...names])], prompt: 'consent' };
  }

  /** The cookies that have to go so that one more fits in: first those that do not open, then the oldest. */
  private surplus(sent: readonly LoginCookie[]): string[] {
    const { seal } = this.#options;
    const byEnd = sent
      .map(({ name, value }) => ({ name, endsAt: seal.open(value)?.expiresAt ?? 0 }))
      .toSorted((one, other) => one.endsAt - other.endsAt);
    return byEnd.slice(0, Math.max(0, byEnd.length - (MAX_COOKIES - 1))).map(({ name }) => name);
  }

  private failed(failure: unknown): unknown {
    if (!isFeishuAuthError(failure)) return failure;
    const { code, message } = failure;
    this.#options.log.say('warn', code, `a login failed: ${code}: ${message}`);
    return new FeishuLoginException(failureOf(failure), failure.code, failure);
  }
}

function failureOf({ code, retryable }: FeishuAuthError): FeishuLoginFailure {
  switch (code) {
    case 'ERR_FEISHU_LOGIN_REJECTED':
    case 'ERR_FEISHU_REAUTHORIZATION_REQUIRED':
    case 'ERR_FEISHU_ACCESS_CHALLENGED':
      return 'rejected';
    case 'ERR_FEISHU_PLATFORM_UNAVAILABLE':
    case 'ERR_FEISHU_RATE_LIMITED':
    case 'ERR_FEISHU_MALFORMED_RESPONSE':
    case 'ERR_FEISHU_USER_STORE_UNAVAILABLE':
    case 'ERR_FEISHU_CLOSED':
      return 'unavailable';
    default:
      return retryable ? 'unavailable' : 'misconfigured';
  }
}

function rejected(failure: FeishuLoginFailure): FeishuLoginException {
  return new FeishuLoginException(failure, 'ERR_FEISHU_LOGIN_REJECTED');
}

/** `undefined` if it is absent, or given more than once. */
function onlyValue(query: URLSearchParams, name: string, absent?: string): string | undefined {
  const values = query.getAll(name);
  return values.length > 1 ? undefined : (values[0] ?? absent);
}
