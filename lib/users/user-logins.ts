import { randomUUID } from 'node:crypto';
import { type UserTokenGrant } from '../platform/oauth/oauth-grants.js';
import { type Clock } from '../time/clock.js';
import { type FeishuUser } from './feishu-user.js';
import { changeLogin, type LoginEdit } from './record/change-login.js';
import { checkedOpenId, loginKey, type LoginOwner } from './record/login-key.js';
import { endLogin, endOf, type LoginRecord, type LoginTokens } from './record/login-record.js';
import { type LoginStore } from './record/login-store.js';
import { tokensOf } from './rotation/exchanged-login.js';
import { type LoginCommits } from './rotation/login-commits.js';
import { type TokenRevoker } from './token-revoker.js';
import { type UserCounters } from './user-counters.js';
import { type UserLoginStatus } from './user-login-status.js';

/** @internal */
export interface UserLoginsOptions {
  readonly owner: LoginOwner;
  readonly store: LoginStore;
  readonly revoker: TokenRevoker;
  readonly commits: LoginCommits;
  readonly counters: UserCounters;
  readonly clock: Clock;
  /** Told when a login began or ended here: what this process holds of it is out of date. */
  readonly onChange: (openId: string) => void;
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
    const { store, clock, commits } = this.#options;
    const key = this.keyOf(openId);
    const uncommitted = commits.uncommittedOf(key);
    const login = uncommitted ?? (await store.read(key))?.login;
    if (!login) return { state: 'absent', reason: 'absent', scopes: [] };
    const { scopes, authorizedAt, tokens } = login;
    const reason = endOf(login, clock.now());
    const state = uncommitted ? 'uncommitted' : 'active';
    return {
      state: reason === undefined ? state : 'reauthorization-required',
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
    const { store, clock, commits, revoker, counters } = this.#options;
    const key = this.keyOf(openId);
    const stored = await store.look(key);
    const login = stored && 'login' in stored ? stored.login : undefined;
    // Feishu first: once the store has forgotten the tokens, nothing can revoke them.
    const first = (commits.uncommittedOf(key) ?? login)?.tokens;
    if (revoke && first) await revoker.revoke(first);
    const generation = randomUUID();
    const at = clock.now();
    const before = await this.change(openId, (current, found) => {
      if (!found || current?.generation === generation || current?.ended?.reason === 'logged-out') {
        return undefined;
      }
      // Also in place of a record that cannot be read. Nothing that says who the user is stays.
      const authorizedAt = current?.authorizedAt ?? at;
      return { generation, user: { openId }, scopes: [], authorizedAt, ended: { reason: 'logged-out', at } };
    });
    if (!before?.tokens) return;
    counters.reauthorizations['logged-out']++;
    // A rotation came between: its tokens are others than those that were revoked.
    if (revoke && before.tokens.access !== first?.access) await revoker.revoke(before.tokens);
  }

  /** Ends the login that an event of Feishu names, unless the user has agreed again since. */
  async revoked({ openId, tokenTypes, at }: Revocation): Promise<void> {
    const types = tokenTypes.split(/\s+/);
    const before = await this.change(openId, (current) => {
      if (!current?.tokens || current.authorizedAt >= at) return undefined;
      if (endsWith(current.tokens, types)) {
        return { ...endLogin(current, { reason: 'revoked', at }), generation: randomUUID() };
      }
      const isOld = types.includes('user_access_token') && current.tokens.obtainedAt < at;
      if (!isOld || current.tokens.accessExpiresAt <= at) return undefined;
      return { ...current, tokens: { ...current.tokens, accessExpiresAt: at } };
    });
    const hasEnded = before?.tokens && before.authorizedAt < at && endsWith(before.tokens, types);
    if (hasEnded) this.#options.counters.reauthorizations.revoked++;
  }

  private keyOf(openId: string): string {
    return loginKey(this.#options.owner, checkedOpenId(openId));
  }

  private async change(openId: string, edit: LoginEdit): Promise<LoginRecord | undefined> {
    const { store, clock, onChange } = this.#options;
    const before = await changeLogin(store, clock, this.keyOf(openId), edit);
    onChange(openId);
    return before;
  }
}

/** Without its refresh token a login cannot go on. Without its access token it can, unless Feishu says otherwise. */
function endsWith(tokens: LoginTokens, revokedTypes: readonly string[]): boolean {
  const isAccess = revokedTypes.includes('user_access_token');
  return revokedTypes.includes('refresh_token') || (isAccess && tokens.refresh === undefined);
}
