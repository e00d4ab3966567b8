import { randomUUID } from 'node:crypto';
import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type OAuthGrants, type UserTokenGrant } from '../platform/oauth/oauth-grants.js';
import { type Clock } from '../time/clock.js';
import { type FeishuUser } from './feishu-user.js';
import { changeLogin } from './record/change-login.js';
import { checkedOpenId, loginKey, type LoginOwner } from './record/login-key.js';
import { endLogin, endOf, type LoginRecord, type LoginTokens } from './record/login-record.js';
import { type LoginStore } from './record/login-store.js';
import { type UserLoginStatus } from './user-login-status.js';

/** @internal */
export interface UserLoginsOptions {
  readonly owner: LoginOwner;
  readonly store: LoginStore;
  readonly grants: OAuthGrants;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Told when a login began or ended here: what this process holds of it is out of date. */
  readonly onChange?: (openId: string) => void;
}

/** What an event says that Feishu revoked. */
export interface Revocation {
  readonly openId: string;
  /** `user_access_token`, `refresh_token`, or both, separated and surrounded by white space. */
  readonly tokenTypes: string;
  /** When Feishu made the event, in epoch milliseconds. */
  readonly at: number;
}

/** Logins as they begin and end. How one is kept alive in between is the business of `rotation/`. */
export class UserLogins {
  readonly #options: UserLoginsOptions;

  constructor(options: UserLoginsOptions) {
    this.#options = options;
  }

  /**
   * A user logged in: stores the login in place of any earlier one. It wins over a rotation under way.
   *
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`; the user has to log in again then
   */
  async begin(user: FeishuUser, grant: UserTokenGrant): Promise<void> {
    const { scopes, ...identity } = user;
    const login: LoginRecord = {
      generation: randomUUID(),
      user: identity,
      scopes: grant.scopes ?? scopes,
      authorizedAt: grant.startedAt,
      tokens: tokensOf(grant),
    };
    await this.change(user.openId, (current) =>
      current?.generation === login.generation ? undefined : login,
    );
  }

  /** @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_INVALID_ARGUMENT` */
  async status(openId: string): Promise<UserLoginStatus> {
    const { store, clock } = this.#options;
    const stored = await store.read(this.keyOf(openId));
    if (!stored) return { state: 'absent', reason: 'absent', scopes: [] };
    const { scopes, authorizedAt, tokens } = stored.login;
    const reason = endOf(stored.login, clock.now());
    return {
      state: reason === undefined ? 'active' : 'reauthorization-required',
      ...(reason !== undefined && { reason }),
      scopes: [...scopes],
      authorizedAt: new Date(authorizedAt),
      ...(tokens && { accessTokenExpiresAt: new Date(tokens.accessExpiresAt) }),
      ...(tokens?.refreshExpiresAt !== undefined && {
        refreshTokenExpiresAt: new Date(tokens.refreshExpiresAt),
      }),
    };
  }

  /**
   * Ends the login, here and, unless `revoke` is false, at Feishu. A revocation that fails is logged; the login ends
   * nevertheless.
   *
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async logout(openId: string, { revoke = true }: { readonly revoke?: boolean } = {}): Promise<void> {
    const { store, clock } = this.#options;
    const key = this.keyOf(openId);
    const found = await store.look(key);
    // Feishu first: once the store has forgotten the tokens, nothing can revoke them.
    const first = found && 'login' in found ? found.login.tokens : undefined;
    if (revoke && first) await this.revoke(first);
    const generation = randomUUID();
    const before = await this.change(openId, (current) => {
      if (!current || current.generation === generation || current.ended?.reason === 'logged-out')
        return undefined;
      const { openId: id } = current.user;
      const ended = endLogin(current, { reason: 'logged-out', at: clock.now() });
      return { ...ended, generation, user: { openId: id }, scopes: [] };
    });
    // A rotation came between: its tokens are others than those that were revoked.
    const isOther = before?.tokens && before.tokens.access !== first?.access;
    if (revoke && isOther) await this.revoke(before.tokens);
  }

  /** Ends the login that an event of Feishu names, unless the user has agreed again since. */
  async revoked({ openId, tokenTypes, at }: Revocation): Promise<void> {
    const types = tokenTypes.split(/\s+/);
    await this.change(openId, (current) => {
      const isMeant = current?.tokens && current.authorizedAt < at;
      if (!isMeant) return undefined;
      // Without its refresh token a login cannot go on. Without its access token it can, unless Feishu says otherwise.
      const endsLogin = types.includes('refresh_token') || current.tokens.refresh === undefined;
      if (endsLogin) {
        return { ...endLogin(current, { reason: 'revoked', at }), generation: randomUUID() };
      }
      const isOld = types.includes('user_access_token') && current.tokens.obtainedAt < at;
      if (!isOld || current.tokens.accessExpiresAt <= at) return undefined;
      return { ...current, tokens: { ...current.tokens, accessExpiresAt: at } };
    });
  }

  private keyOf(openId: string): string {
    return loginKey(this.#options.owner, checkedOpenId(openId));
  }

  private async change(
    openId: string,
    edit: (current: LoginRecord | undefined) => LoginRecord | undefined,
  ): Promise<LoginRecord | undefined> {
    const { store, clock, onChange } = this.#options;
    const before = await changeLogin(store, clock, this.keyOf(openId), edit);
    onChange?.(openId);
    return before;
  }

  /** The refresh token first: it could get new access tokens. Never rejects. */
  private async revoke(tokens: LoginTokens): Promise<void> {
    const { grants, warn } = this.#options;
    try {
      if (tokens.refresh !== undefined) await grants.revoke(tokens.refresh, 'refresh_token');
      await grants.revoke(tokens.access, 'access_token');
    } catch (error) {
      const why = isFeishuAuthError(error) ? `${error.code}: ${error.message}` : 'unexpectedly';
      warn(`a user's tokens could not be revoked at Feishu; they end by themselves. ${why}`);
    }
  }
}

/** @internal */
export function tokensOf(grant: UserTokenGrant): LoginTokens {
  const { accessToken, accessLifeMs, refreshToken, refreshLifeMs, startedAt } = grant;
  return {
    access: accessToken,
    accessExpiresAt: startedAt + accessLifeMs,
    accessLifeMs,
    obtainedAt: startedAt,
    refresh: refreshToken,
    refreshExpiresAt:
      refreshToken === undefined || refreshLifeMs === undefined ? undefined : startedAt + refreshLifeMs,
  };
}
