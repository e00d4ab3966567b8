import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type OAuthGrants } from '../platform/oauth/oauth-grants.js';
import { type LoginTokens } from './record/login-record.js';

/** Makes tokens worthless at Feishu that no login needs any more. */
export class TokenRevoker {
  readonly #grants: OAuthGrants;
  readonly #warn: (message: string) => void;

  constructor(grants: OAuthGrants, warn: (message: string) => void) {
    this.#grants = grants;
    this.#warn = warn;
  }

  /** The refresh token first: it could get new access tokens. Never rejects; a failure is logged. */
  async revoke(tokens: LoginTokens): Promise<void> {
    try {
      if (tokens.refresh !== undefined) await this.#grants.revoke(tokens.refresh, 'refresh_token');
      await this.#grants.revoke(tokens.access, 'access_token');
    } catch (error) {
      const why = isFeishuAuthError(error) ? `${error.code}: ${error.message}` : 'unexpectedly';
      this.#warn(`a user's tokens could not be revoked at Feishu; they end by themselves. ${why}`);
    }
  }
}
