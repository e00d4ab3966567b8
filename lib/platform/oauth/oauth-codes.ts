import { type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { type ReauthorizationReason } from '../../errors/reauthorization-reason.js';

/**
 * What follows from a refusal of the OAuth token endpoint.
 *
 * - `retry`: nothing was used up; the same request may succeed in a moment.
 * - `login-over`: the refresh token is good for nothing any more; the login ends unless another process renewed it.
 * - `user-blocked`: Feishu serves this user no longer; the login ends.
 * - `app`: the app's credentials or settings are wrong; the login stays, and no request of any user succeeds.
 * - `challenge`: the tenant's access policy wants the user to act; the login stays.
 * - `login-refused`: the code, the redirect URI or the PKCE verifier of a new login is wrong.
 * - `mistake`: the request itself is wrong; the login stays.
 */
export type OAuthReaction =
  'retry' | 'login-over' | 'user-blocked' | 'app' | 'challenge' | 'login-refused' | 'mistake';

/** What one code of the OAuth token endpoint means to this module. */
export interface OAuthCodeMeaning {
  readonly reaction: OAuthReaction;
  readonly error: FeishuAuthErrorCode;
  /** What is wrong, and where it can be fixed. */
  readonly hint: string;
  /** Why the login ends, for the codes that end one. */
  readonly reason?: ReauthorizationReason;
}

const retry = (hint: string): OAuthCodeMeaning => ({
  reaction: 'retry',
  error: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
  hint,
});
const tooOften = (hint: string): OAuthCodeMeaning => ({
  reaction: 'retry',
  error: 'ERR_FEISHU_RATE_LIMITED',
  hint,
});
const loginOver = (reason: ReauthorizationReason, hint: string): OAuthCodeMeaning => ({
  reaction: 'login-over',
  error: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
  hint,
  reason,
});
const userBlocked = (hint: string): OAuthCodeMeaning => ({
  reaction: 'user-blocked',
  error: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
  hint,
  reason: 'user-disabled',
});
const app = (hint: string): OAuthCodeMeaning => ({
  reaction: 'app',
  error: 'ERR_FEISHU_CREDENTIALS_REJECTED',
  hint,
});
const challenge = (hint: string): OAuthCodeMeaning => ({
  reaction: 'challenge',
  error: 'ERR_FEISHU_ACCESS_CHALLENGED',
  hint,
});
const loginRefused = (hint: string): OAuthCodeMeaning => ({
  reaction: 'login-refused',
  error: 'ERR_FEISHU_LOGIN_REJECTED',
  hint,
});
const mistake = (hint: string): OAuthCodeMeaning => ({
  reaction: 'mistake',
  error: 'ERR_FEISHU_INVALID_ARGUMENT',
  hint,
});

/**
 * Feishu code -> meaning, for the OAuth token endpoints v2 and v3. One row a code.
 *
 * Source: Feishu's pages "Get user_access_token" and "Refresh user_access_token"; 21000 and 21001 are known from the
 * official command line tool only.
 */
export const OAUTH_CODES: ReadonlyMap<number, OAuthCodeMeaning> = new Map<number, OAuthCodeMeaning>([
  [20001, mistake('a required parameter is missing')],
  [20002, app('check appId and appSecret, and that the domain (feishu or lark) is the one the app lives on')],
  [20003, loginRefused('the code is unknown or was used before: log in again')],
  [20004, loginRefused('the code is older than 5 minutes: log in again')],
  [20008, userBlocked('the user does not exist')],
  [20009, app('the tenant has not installed the app')],
  [20010, userBlocked("the user may not use the app: check the app's availability in the developer console")],
  [20021, userBlocked('the user has left the company')],
  [20022, userBlocked('the user is frozen')],
  [
    20024,
    {
      reaction: 'mistake',
      error: 'ERR_FEISHU_CONFIG_INVALID',
      hint: 'the code or refresh token belongs to another app: do two apps share one keyPrefix and store?',
    },
  ],
  [20026, loginOver('revoked', 'the refresh token is invalid, or comes from an old endpoint')],
  [20036, mistake('the grant type is not supported')],
  [20037, loginOver('expired', 'the refresh token ended, or 365 days passed since the user agreed')],
  [20048, app('the app does not exist on this domain')],
  [20049, loginRefused('the PKCE verifier does not match the challenge: log in again')],
  [20050, retry('an unexpected fault of Feishu')],
  [20063, mistake('the request is malformed')],
  [20064, loginOver('revoked', 'the refresh token was revoked, or used before')],
  [20065, loginRefused('the code was used before: log in again')],
  [20066, userBlocked("the user's status is invalid")],
  [20067, mistake('a scope is named twice')],
  [20068, mistake('a scope was asked for that the user has not granted')],
  [20069, app('the app is disabled or not published: see its page in the developer console')],
  [20070, mistake('two ways of authenticating the app were used at once')],
  [20071, loginRefused('the redirect URI is not the one that the login began with')],
  [20072, retry('Feishu is temporarily unavailable')],
  [20073, loginOver('revoked', 'the refresh token was used before')],
  [
    20074,
    app(
      'the app may not refresh user tokens: switch "refresh user_access_token" on in the developer console',
    ),
  ],
  [21000, challenge("the tenant's access policy wants the user to confirm")],
  [21001, challenge("the tenant's access policy denies access")],
  [99991400, tooOften('asked too often')],
  [
    1106072,
    {
      reaction: 'mistake',
      error: 'ERR_FEISHU_CONFIG_INVALID',
      hint: 'Feishu wants DPoP-bound tokens for this app, which this version does not support',
    },
  ],
]);

/** OAuth's own error names, for answers without a number. What they mean is the meaning of the code beside them. */
const OAUTH_ERRORS: ReadonlyMap<string, number> = new Map([
  ['temporarily_unavailable', 20072],
  ['slow_down', 99991400],
  ['invalid_client', 20002],
  ['unauthorized_client', 20002],
  ['unsupported_grant_type', 20036],
  ['invalid_request', 20063],
  ['invalid_dpop_proof', 1106072],
]);

/** The meaning of a refusal, or `undefined` for one that is not documented. */
export function meaningOfRefusal(
  code: number | undefined,
  error: string | undefined,
): OAuthCodeMeaning | undefined {
  const known = code ?? (error === undefined ? undefined : OAUTH_ERRORS.get(error));
  return known === undefined ? undefined : OAUTH_CODES.get(known);
}
