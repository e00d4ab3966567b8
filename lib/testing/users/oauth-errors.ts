import { type EmulatorReply, json } from '../emulator-reply.js';

interface OAuthError {
  readonly error: string;
  readonly description: string;
  /** @default 400 */
  readonly status?: number;
}

/** The codes of the token endpoints, with the status that each is documented with. */
const ERRORS: Partial<Record<number, OAuthError>> = {
  20001: { error: 'invalid_request', description: 'The request is missing a required parameter.' },
  20002: { error: 'invalid_client', description: 'The client secret is invalid.' },
  20003: { error: 'invalid_grant', description: 'The authorization code is not found.' },
  20004: { error: 'invalid_grant', description: 'The authorization code has expired.' },
  20008: { error: 'invalid_grant', description: 'The user does not exist.' },
  20009: { error: 'unauthorized_client', description: 'The app is not installed in the tenant.' },
  20010: { error: 'access_denied', description: 'The user does not have permission to use this app.' },
  20024: { error: 'invalid_grant', description: 'The grant was issued to another client.' },
  20026: { error: 'invalid_grant', description: 'The refresh token is invalid.' },
  20036: { error: 'unsupported_grant_type', description: 'The grant type is not supported.' },
  20037: { error: 'invalid_grant', description: 'The refresh token has expired.' },
  20048: { error: 'invalid_client', description: 'The app does not exist.' },
  20049: { error: 'invalid_grant', description: 'PKCE verification failed.' },
  20050: { error: 'server_error', description: 'An unexpected server error occurred.', status: 500 },
  20063: { error: 'invalid_request', description: 'The request is malformed.' },
  20064: {
    error: 'invalid_grant',
    description: 'The refresh token has been revoked. It can only be used once.',
  },
  20065: {
    error: 'invalid_grant',
    description: 'The authorization code has been used. It can only be used once.',
  },
  20066: { error: 'invalid_grant', description: 'The user status is invalid.' },
  20067: { error: 'invalid_scope', description: 'The scope list has duplicates.' },
  20068: { error: 'invalid_scope', description: 'The scope list has scopes that were not granted.' },
  20069: { error: 'unauthorized_client', description: 'The app is not enabled.' },
  20070: { error: 'invalid_request', description: 'More than one client authentication method was used.' },
  20071: {
    error: 'invalid_grant',
    description: 'The redirect_uri does not match the authorization request.',
  },
  20072: {
    error: 'temporarily_unavailable',
    description: 'The service is temporarily unavailable.',
    status: 503,
  },
  20073: {
    error: 'invalid_grant',
    description: 'The refresh token has been used. It can only be used once.',
  },
  20074: {
    error: 'unauthorized_client',
    description: 'The app is not allowed to refresh user access tokens.',
  },
};

/**
 * A refusal in the form of the token endpoints; `undefined` for a code that is none of theirs.
 *
 * @internal
 */
export function oauthError(code: number, status?: number): EmulatorReply | undefined {
  const known = ERRORS[code];
  if (!known) return undefined;
  const { error, description } = known;
  return json({ code, error, error_description: description }, status ?? known.status ?? 400);
}

/** @internal */
export function refuseGrant(code: number): EmulatorReply {
  const reply = oauthError(code);
  if (!reply) throw new Error(`the token endpoints have no code ${code}`);
  return reply;
}

/** The device grant's own errors, which have a name and no code. @internal */
export function refuseDevice(error: string, description: string): EmulatorReply {
  return json({ error, error_description: description }, 400);
}
