import { type UserTokenGrant } from '../../platform/oauth/oauth-grants.js';
import { type LoginRecord, type LoginTokens } from '../record/login-record.js';

/** What an exchange brought, to be stored over the generation whose refresh token was used for it. */
export interface ExchangedLogin {
  /** The generation that was exchanged. */
  readonly base: string;
  readonly next: LoginRecord;
}

/** The tokens of a grant. */
export function tokensOf(grant: UserTokenGrant): LoginTokens {
  const { accessToken, accessLifeMs, refreshToken, refreshLifeMs, startedAt } = grant;
  const hasEnd = refreshToken !== undefined && refreshLifeMs !== undefined;
  return {
    access: accessToken,
    accessExpiresAt: startedAt + accessLifeMs,
    accessLifeMs,
    obtainedAt: startedAt,
    refresh: refreshToken,
    refreshExpiresAt: hasEnd ? startedAt + refreshLifeMs : undefined,
  };
}

/** The next generation of `login`. What the grant does not say stays as it is. */
export function exchanged(
  login: LoginRecord & { readonly tokens: LoginTokens },
  grant: UserTokenGrant,
  generation: string,
): ExchangedLogin {
  const tokens = tokensOf(grant);
  const { refresh, refreshExpiresAt } = login.tokens;
  return {
    base: login.generation,
    next: {
      generation,
      user: login.user,
      scopes: grant.scopes ?? login.scopes,
      authorizedAt: login.authorizedAt,
      tokens: tokens.refresh === undefined ? { ...tokens, refresh, refreshExpiresAt } : tokens,
    },
  };
}
