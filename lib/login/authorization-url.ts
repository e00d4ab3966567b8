import { createHash, randomBytes } from 'node:crypto';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * Where to send the browser, and what to keep until it comes back.
 *
 * @publicApi
 */
export interface AuthorizationUrl {
  /** Feishu's page on which the user agrees. */
  url: string;
  /** Comes back to the redirect URI. Compare it with what this browser was given: that keeps others' logins out. */
  state: string;
  /** To be kept on the server, or sealed, and given to `exchangeCode`. */
  codeVerifier: string;
}

/** @internal */
export interface AuthorizationUrlParts {
  /** Feishu's authorize endpoint. */
  readonly endpoint: string;
  readonly appId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly prompt: 'consent' | undefined;
}

/** Feishu documents `plain` as the default method, so S256 is named. */
export function authorizationUrl(parts: AuthorizationUrlParts): AuthorizationUrl {
  const { endpoint, appId, redirectUri, scopes, prompt } = parts;
  const state = parts.state ?? randomBytes(32).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  const query = {
    client_id: appId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    prompt: prompt ?? '',
  };
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return { url: `${endpoint}?${pairs.join('&')}`, state, codeVerifier };
}

/** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
export function checkedRedirectUri(redirectUri: unknown): string {
  if (typeof redirectUri === 'string' && URL.canParse(redirectUri)) {
    const { protocol } = new URL(redirectUri);
    if (protocol === 'https:' || protocol === 'http:') return redirectUri;
  }
  throw invalid('redirectUri must be an absolute http or https URL: pass it, or set users.redirectUri');
}

/** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
export function checkedScopes(scopes: unknown): readonly string[] {
  if (!Array.isArray(scopes) || !scopes.every(isScope)) {
    throw invalid("scopes must be a list of scopes without blanks, e.g. ['offline_access', 'im:message']");
  }
  // Feishu refuses one that is named twice (20067).
  return [...new Set(scopes)];
}

/** RFC 6749, section 3.3. */
export function isScope(scope: unknown): scope is string {
  return typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}

/** Feishu's codes are letters, digits, `-` and `_`, of a length that may change. */
export function isCode(code: unknown): code is string {
  return typeof code === 'string' && /^[\x21-\x7e]{1,2048}$/.test(code);
}
