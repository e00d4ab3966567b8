import { secretAuthentication } from '../platform/oauth/client-authentication.js';
import { OAuthClient } from '../platform/oauth/oauth-client.js';
import { oauthEndpoints, type OAuthEndpoints } from '../platform/oauth/oauth-endpoints.js';
import { OAuthGrants } from '../platform/oauth/oauth-grants.js';
import { type RecordCipher } from '../store/record-cipher.js';
import { type Clock } from '../time/clock.js';
import { LoginCodec } from './record/login-codec.js';
import { type LoginOwner } from './record/login-key.js';
import { LoginStore } from './record/login-store.js';
import { UserLogins } from './user-logins.js';
import { DEFAULT_BEFORE_MS } from './user-options.schema.js';
import { type ResolvedUserOptions } from './user-options.js';

/** @internal */
export interface UserEngineOptions extends LoginOwner {
  readonly accountsOrigin: string;
  readonly appSecret: string;
  readonly users: ResolvedUserOptions;
  readonly refresh: { readonly requestTimeoutMs: number };
  readonly fetch: typeof globalThis.fetch;
}

/** @internal */
export interface UserEngineDependencies {
  readonly cipher: RecordCipher | undefined;
  readonly clock: Clock;
  readonly logger: { warn(message: string): void };
}

/** Everything about users of one instance that outlives a request. */
export class UserEngine {
  readonly endpoints: OAuthEndpoints;
  readonly grants: OAuthGrants;
  readonly logins: UserLogins;

  constructor(options: UserEngineOptions, { cipher, clock, logger }: UserEngineDependencies) {
    const { appId, appSecret, users, fetch } = options;
    const { requestTimeoutMs } = options.refresh;
    this.endpoints = oauthEndpoints(options, users.oauth);
    this.grants = new OAuthGrants({
      client: new OAuthClient({ fetch, clock, requestTimeoutMs, secrets: [appSecret] }),
      endpoints: this.endpoints,
      appId,
      authenticate: secretAuthentication(appSecret),
    });
    const store = new LoginStore({
      store: users.store,
      codec: new LoginCodec(cipher, users.acceptUnencrypted),
      clock,
      // Also while keep-alive is off: it finds the logins of before once it is switched on.
      beforeMs: users.keepAlive === false ? DEFAULT_BEFORE_MS : users.keepAlive.beforeMs,
    });
    this.logins = new UserLogins({
      owner: options,
      store,
      grants: this.grants,
      clock,
      warn: (message) => logger.warn(message),
    });
  }
}
