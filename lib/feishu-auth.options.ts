import { type TokenCache } from './store/token-cache.js';
import { type StatusPageOptions } from './status/status-page.options.js';
import { type RefreshLock } from './lock/refresh-lock.js';
import { type AppType } from './platform/app-type.js';
import { type ResolvedUserOptions, type UserOptions } from './users/user-options.js';

/**
 * Where Feishu is: a preset, or the two origins of a private deployment.
 * Origins are https, or http on a loopback host. `open` serves tokens and APIs; users log in at `accounts`.
 *
 * @publicApi
 */
export type FeishuDomain = 'feishu' | 'lark' | { open: string; accounts: string };

/**
 * A key that encrypts stored tokens.
 *
 * @publicApi
 */
export interface EncryptionKey {
  /** Names the key in the records that it encrypted. 1 to 64 letters, digits, `.`, `_` or `-`. */
  id: string;
  /** 32 bytes, or base64 of 32 bytes, for example from `openssl rand -base64 32`. */
  key: Uint8Array | string;
}

/**
 * How tokens are renewed. All durations are in milliseconds.
 *
 * @publicApi
 */
export interface RefreshOptions {
  /**
   * Timeout of one request to Feishu, in milliseconds. A caller waits at most 8 seconds in all, for any value.
   * @default 5_000
   */
  requestTimeoutMs?: number;
  /** Timeout of one operation of the shared store, in milliseconds. @default 250 */
  storeTimeoutMs?: number;
  /**
   * How long a lock lives that is not released, in milliseconds; at least twice `requestTimeoutMs`.
   * @default 10_000, or twice `requestTimeoutMs` if that is more
   */
  lockTtlMs?: number;
  /**
   * How long a caller without a token waits for a lock that another process holds, in milliseconds. It then continues
   * without the lock.
   * @default 2_000
   */
  lockWaitMs?: number;
  /**
   * How long before its end a token is renewed, in milliseconds. Each process draws a value from this range for each
   * token. Both values are below 1_800_000 (30 minutes), because before that Feishu returns the same token again.
   * @default [1_320_000, 1_680_000] (22 to 28 minutes)
   */
  aheadMs?: readonly [min: number, max: number];
}

/**
 * How sweeps renew tokens before callers need them.
 *
 * @publicApi
 */
export interface PrewarmOptions {
  /**
   * Time between two sweeps, in milliseconds. Below `refresh.aheadMs[0] - 60_000`, because longer intervals would always be
   * late.
   * @default 30_000
   */
  intervalMs?: number;
  /** How many tokens one sweep renews at the same time. @default 8 */
  concurrency?: number;
  /** Store apps: a tenant's token that was not read for this long is dropped, in milliseconds. @default 7_200_000 (2 hours) */
  idleAfterMs?: number;
  /**
   * What happens at bootstrap. `'background'`: the app's own token is fetched without delaying the start.
   * `'require'`: the start fails if there is no token. `'off'`: nothing.
   * @default 'background'
   */
  onBootstrap?: 'background' | 'require' | 'off';
}

/**
 * How incoming events are verified. At least one of the two keys is required. With an Encrypt Key every delivery must be
 * signed and encrypted. The Verification Token alone is sent in clear text.
 *
 * @publicApi
 */
export interface EventOptions {
  /** Encrypt Key of the app's event subscription. */
  encryptKey?: string;
  /** Verification Token of the app's event subscription. */
  verificationToken?: string;
  /**
   * How old a signed delivery may be, in milliseconds. Feishu delivers again for more than 6 hours and does not document
   * whether it signs again.
   * @default 28_800_000 (8 hours)
   */
  maxSkewMs?: number;
}

/**
 * Options of {@link FeishuAuthModule}.
 *
 * @publicApi
 */
export interface FeishuAuthModuleOptions {
  /** App ID (`cli_...`). */
  appId: string;
  /** App Secret. */
  appSecret: string;
  /** `'store'` for an app that many tenants install (ISV). @default 'self-built' */
  appType?: AppType;
  /** Feishu, Lark, or the origins of a private deployment. @default 'feishu' */
  domain?: FeishuDomain;
  /** Shares tokens with other processes and keeps them over a restart: e.g. a cache-manager cache. @default in memory, bounded */
  cache?: TokenCache;
  /** Keeps processes from renewing the same token at the same time. @default within this process */
  lock?: RefreshLock;
  /** First part of every key in the store. @default 'feishu-auth' */
  keyPrefix?: string;
  /** Encrypts tokens and tickets in the store with AES-256-GCM. The first key encrypts, all keys decrypt. */
  encryptionKeys?: readonly EncryptionKey[];
  /** How many tokens one process holds. The least recently read token is dropped first. @default 10_000 */
  maxTokens?: number;
  refresh?: RefreshOptions;
  /** `false`: tokens are renewed only when they are read. @default on */
  prewarm?: false | PrewarmOptions;
  events?: EventOptions;
  /** Lets users log in, and keeps their tokens. Without it, calls about users are `ERR_FEISHU_CONFIG_INVALID`. */
  users?: UserOptions;
  /** Sends every request of this module; for proxies and tests. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
}

/**
 * Provides the options of a module that is configured with `useClass` or `useExisting`.
 *
 * @publicApi
 */
export interface FeishuAuthOptionsFactory {
  /** Returns the options, or a promise of them. */
  createFeishuAuthOptions(): FeishuAuthModuleOptions | Promise<FeishuAuthModuleOptions>;
}

/**
 * Options that shape the module itself. A factory cannot return them, because it runs too late.
 *
 * @publicApi
 */
export interface FeishuAuthModuleExtras {
  /** Name of this instance; required for every instance but one. `'default'` is the unnamed one. */
  name?: string | undefined;
  /** Whether every module can inject the services without an import. @default true */
  isGlobal?: boolean | undefined;
  /**
   * Path of the app's event URL, for example `feishu/events`: registers an endpoint there, below the global prefix. Requires
   * `events`, and an application created with `rawBody: true`.
   */
  webhookPath?: string | undefined;
  /**
   * A live status page for operators, of all instances of the application. Without `guards` the application does not
   * start in production. @default no page
   */
  statusPage?: StatusPageOptions | undefined;
  /**
   * Path of the login endpoint, for example `auth/feishu`: registers `GET <path>` and `GET <path>/callback` there, below the
   * global prefix. Requires `users`, and one method under `@OnFeishuLogin()`. Set `users.redirectUri` to the public URL of the
   * callback.
   */
  loginPath?: string | undefined;
  /** Put on the login endpoint, for example `[Public()]` for a global guard of yours. @default [] */
  loginDecorators?: readonly ClassDecorator[] | undefined;
}

/** @internal */
export interface ResolvedEventOptions {
  readonly encryptKey: string | undefined;
  readonly verificationToken: string | undefined;
  readonly maxSkewMs: number;
}

/**
 * The options with every default filled in.
 *
 * @internal
 */
export interface ResolvedOptions {
  readonly instance: string;
  readonly appId: string;
  readonly appSecret: string;
  readonly appType: AppType;
  /** Origin without a trailing slash. */
  readonly openOrigin: string;
  /** Origin of the host where users log in, without a trailing slash. */
  readonly accountsOrigin: string;
  readonly cache: TokenCache | undefined;
  readonly lock: RefreshLock | undefined;
  readonly keyPrefix: string;
  readonly encryptionKeys: readonly { id: string; key: Uint8Array }[];
  readonly maxTokens: number;
  readonly refresh: Required<RefreshOptions>;
  readonly prewarm: false | Required<PrewarmOptions>;
  /** Present if at least one of the two keys is set. */
  readonly events: ResolvedEventOptions | undefined;
  readonly users: ResolvedUserOptions | undefined;
  readonly fetch: typeof globalThis.fetch;
}
