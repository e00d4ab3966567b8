import { type UserTokenStore } from './store/user-token-store.js';

/**
 * @publicApi
 */
export interface KeepAliveOptions {
  /** How long before a refresh token ends it is renewed, in milliseconds. @default 86_400_000  (a day) */
  beforeMs?: number;
}

/**
 * How users log in, and where their logins live.
 *
 * @publicApi
 */
export interface UserOptions {
  /**
   * Where logins live. A refresh token is good for one use, so a store that forgets logs users out: there is no default.
   * One host: `FileUserTokenStore`. Several: `RedisUserTokenStore` of `nestjs-feishu-auth/redis`, or `SqlUserTokenStore` of
   * `nestjs-feishu-auth/sql`.
   */
  store: UserTokenStore;
  /**
   * Where Feishu sends the browser after the user has agreed: absolute, https or http on a loopback host, and registered in
   * the developer console.
   */
  redirectUri?: string;
  /** What a login asks the user for. Without `offline_access` a login ends with its first access token. @default ['offline_access'] */
  scopes?: readonly string[];
  /** The version of Feishu's token endpoint. @default 'v3' */
  oauth?: 'v3' | 'v2';
  /** Renews logins that are not in use before their refresh token ends. Needs a store with `dueBefore`. @default false */
  keepAlive?: false | KeepAliveOptions;
  /**
   * How long one process has the exclusive right to renew a login, in milliseconds; at least twice
   * `refresh.requestTimeoutMs` and 10 seconds.
   * @default 60_000
   */
  claimMs?: number;
  /**
   * Reads logins that were stored in the clear, before `encryptionKeys` was set. They are encrypted when they are renewed;
   * after that, leave this out: otherwise a writer to the store could plant a login.
   * @default false
   */
  acceptUnencrypted?: boolean;
}

/** @internal */
export interface ResolvedUserOptions {
  readonly store: UserTokenStore;
  readonly redirectUri: string | undefined;
  readonly scopes: readonly string[];
  readonly oauth: 'v3' | 'v2';
  readonly keepAlive: false | Required<KeepAliveOptions>;
  readonly claimMs: number;
  readonly acceptUnencrypted: boolean;
}
