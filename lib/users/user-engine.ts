import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type ReauthorizationReason } from '../errors/reauthorization-reason.js';
import { secretAuthentication } from '../platform/oauth/client-authentication.js';
import { OAuthClient } from '../platform/oauth/oauth-client.js';
import { oauthEndpoints, type OAuthEndpoints } from '../platform/oauth/oauth-endpoints.js';
import { OAuthGrants } from '../platform/oauth/oauth-grants.js';
import { type RecordCipher } from '../store/record-cipher.js';
import { type RecordStore } from '../store/record-store.js';
import { type Clock } from '../time/clock.js';
import { type RandomSource } from '../time/random-source.js';
import { KeepAlive } from './keep-alive/keep-alive.js';
import { LoginCodec } from './record/login-codec.js';
import { openIdOf, type LoginOwner } from './record/login-key.js';
import { LoginStore } from './record/login-store.js';
import { AppPause } from './rotation/app-pause.js';
import { ClaimWatch } from './rotation/claim-watch.js';
import { LoginCommits } from './rotation/login-commits.js';
import { LoginExchange } from './rotation/login-exchange.js';
import { LoginRotator } from './rotation/login-rotator.js';
import { RotationJournal } from './rotation/rotation-journal.js';
import { TokenRevoker } from './token-revoker.js';
import { UserCounters } from './user-counters.js';
import { UserLogins } from './user-logins.js';
import { DEFAULT_BEFORE_MS } from './user-options.schema.js';
import { type ResolvedUserOptions } from './user-options.js';

/** When the application closes, exchanges under way get so long for their answer; then their outcome is unknown. */
const EXCHANGE_GRACE_MS = 6_000;
/** For writing down that it is. */
const LEAVE_GRACE_MS = 1_000;
/** For storing what the store did not take before. One attempt may take another 6 s. */
const FLUSH_GRACE_MS = 6_000;

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
  /** The encrypted records of a cache that other processes share; without one there is no journal. */
  readonly journalRecords: RecordStore | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: { warn(message: string): void; error(message: string): void; log(message: string): void };
  readonly onAttempt: (outcome: 'success' | FeishuAuthErrorCode, latencyMs: number) => void;
  /** Told when what this process holds of a user is out of date. */
  readonly onChange: (openId: string) => void;
}

/** What happened to the logins of one instance. */
export interface UserCounts {
  readonly rotations: number;
  readonly uncommitted: number;
  readonly reauthorizations: Record<ReauthorizationReason, number>;
  readonly claimsLost: number;
  readonly journalRecovered: number;
}

/** Everything about users of one instance that outlives a request. */
export class UserEngine {
  readonly endpoints: OAuthEndpoints;
  readonly grants: OAuthGrants;
  readonly logins: UserLogins;
  readonly rotator: LoginRotator;
  readonly commits: LoginCommits;
  readonly store: LoginStore;
  readonly counters = new UserCounters();
  /** Absent unless it was asked for. */
  readonly keepAlive: KeepAlive | undefined;
  readonly #closing = new AbortController();

  constructor(options: UserEngineOptions, deps: UserEngineDependencies) {
    const { appId, appSecret, users, fetch } = options;
    const { cipher, clock, random, logger, onChange } = deps;
    const { requestTimeoutMs } = options.refresh;
    const { counters } = this;
    this.endpoints = oauthEndpoints(options, users.oauth);
    this.grants = new OAuthGrants({
      client: new OAuthClient({ fetch, clock, requestTimeoutMs, secrets: [appSecret] }),
      endpoints: this.endpoints,
      appId,
      authenticate: secretAuthentication(appSecret),
    });
    this.store = new LoginStore({
      store: users.store,
      codec: new LoginCodec(cipher, users.acceptUnencrypted),
      clock,
      // Also while keep-alive is off: it finds the logins of before once it is switched on.
      beforeMs: users.keepAlive === false ? DEFAULT_BEFORE_MS : users.keepAlive.beforeMs,
    });
    const revoker = new TokenRevoker(this.grants, (message) => logger.warn(message));
    const journal = deps.journalRecords && new RotationJournal(deps.journalRecords, clock);
    this.commits = new LoginCommits({
      store: this.store,
      journal,
      clock,
      log: logger,
      onYield: (key, { tokens }) => {
        counters.claimsLost++;
        if (tokens) void revoker.revoke(tokens);
        const openId = openIdOf(options, key);
        if (openId !== undefined) onChange(openId);
      },
    });
    this.rotator = new LoginRotator({
      store: this.store,
      exchange: new LoginExchange({
        grants: this.grants,
        clock,
        closing: this.#closing.signal,
        onAttempt: deps.onAttempt,
      }),
      commits: this.commits,
      journal,
      claims: new ClaimWatch(clock),
      pause: new AppPause(clock),
      counters,
      clock,
      random,
      claimMs: users.claimMs,
      discard: (tokens) => revoker.revoke(tokens),
    });
    this.keepAlive =
      users.keepAlive === false
        ? undefined
        : new KeepAlive({
            owner: options,
            store: this.store,
            rotator: this.rotator,
            clock,
            random,
            warn: (message) => logger.warn(message),
          });
    this.logins = new UserLogins({
      owner: options,
      store: this.store,
      revoker,
      commits: this.commits,
      counters,
      clock,
      onChange,
    });
  }

  /** What happened to logins, for the metrics. */
  snapshot(): UserCounts {
    const { rotations, claimsLost, journalRecovered, reauthorizations } = this.counters;
    const { uncommitted } = this.commits;
    return {
      rotations,
      uncommitted,
      reauthorizations: { ...reauthorizations },
      claimsLost,
      journalRecovered,
    };
  }

  /** Ends within 20 s: waits for answers, stores what it can, and logs what it could not store. */
  async close(): Promise<void> {
    await this.rotator.close(EXCHANGE_GRACE_MS);
    this.#closing.abort();
    await this.rotator.close(LEAVE_GRACE_MS);
    await this.commits.close(FLUSH_GRACE_MS);
  }
}
