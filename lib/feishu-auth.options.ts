import { type Cache } from 'cache-manager';
import { type RefreshLock } from './lock/refresh-lock.js';
import { type AppType } from './platform/app-type.js';

/**
 * Where Feishu lives: a preset, or the two origins of a private deployment.
 * Origins are https, or http on a loopback host. `open` serves tokens and APIs; `accounts`, where users log in, is not
 * called by this version.
 *
 * @publicApi
 */
export type FeishuDomain = 'feishu' | 'lark' | { open: string; accounts: string };

/**
 * A key that stored tokens are encrypted with.
 *
 * @publicApi
 */
export interface EncryptionKey {
  /** Names the key in the records it wrote. Letters, digits, `.`, `_` and `-`; at most 64. */
  id: string;
  /** 32 bytes, or base64 of 32 bytes. */
  key: Uint8Array | string;
}

/**
 * @publicApi
 */
export interface RefreshOptions {
  /**
   * How long one request to the platform may take, in milliseconds. A caller who waits gives up after 8 seconds in all,
   * whatever this is.
   * @default 5000
   */
  requestTimeoutMs?: number;
  /** How long one operation of the shared store may take, in milliseconds. @default 250 */
  storeTimeoutMs?: number;
  /**
   * How long a refresh lock lives that nobody releases, in milliseconds; at least twice `requestTimeoutMs`.
   * @default 10_000, or twice `requestTimeoutMs` if that is more
   */
  lockTtlMs?: number;
  /** How long a caller without a token waits for somebody else's lock before going on without, in milliseconds. @default 2000 */
  lockWaitMs?: number;
  /**
   * How long before its end a token is renewed, in milliseconds: each process draws once per token from this range.
   * Both below 30 minutes, because before that the platform hands out the same token again.
   * @default [1_320_000, 1_680_000]  (22 to 28 minutes)
   */
  aheadMs?: readonly [min: number, max: number];
}

/**
 * @publicApi
 */
export interface PrewarmOptions {
  /**
   * How often tokens that are due get renewed, in milliseconds. Less than `refresh.aheadMs[0] - 60_000`: anything else
   * would always be late.
   * @default 30_000
   */
  intervalMs?: number;
  /** How many renewals one sweep has under way at a time. @default 8 */
  concurrency?: number;
  /** A tenant's token that nobody read for this long is let go, in milliseconds. @default 7_200_000 */
  idleAfterMs?: number;
  /**
   * What happens at bootstrap. `'background'`: the app's own token is fetched without holding up the start.
   * `'require'`: the start fails when it cannot be had. `'off'`: nothing.
   * @default 'background'
   */
  onBootstrap?: 'background' | 'require' | 'off';
}

/**
 * How incoming events are trusted: at least one of the two keys. With an Encrypt Key every delivery has to be signed and
 * encrypted; the Verification Token alone is sent in the clear.
 *
 * @publicApi
 */
export interface EventOptions {
  /** The Encrypt Key of the app's event subscription. */
  encryptKey?: string;
  /** The Verification Token of the app's event subscription. */
  verificationToken?: string;
  /**
   * How old a signed delivery may be, in milliseconds: Feishu delivers again for up to 6 hours, and does not say whether
   * it signs anew.
   * @default 28_800_000  (8 hours)
   */
  maxSkewMs?: number;
}

/**
 * Options of {@link FeishuAuthModule}.
 *
 * @publicApi
 */
export interface FeishuAuthModuleOptions {
  /** The app's id (`cli_...`). */
  appId: string;
  /** The app's secret. */
  appSecret: string;
  /** `'store'` for an ISV app that many tenants install. @default 'self-built' */
  appType?: AppType;
  /** @default 'feishu' */
  domain?: FeishuDomain;
  /** A cache-manager cache to share tokens through. @default a bounded in-memory one of its own */
  cache?: Cache;
  /** What keeps processes from renewing the same token at once. @default one that works within this process */
  lock?: RefreshLock;
  /** Put before every key in the store. @default 'feishu-auth' */
  keyPrefix?: string;
  /** Encrypts tokens and tickets in the store (AES-256-GCM). The first key writes, all read. */
  encryptionKeys?: readonly EncryptionKey[];
  /** How many tokens one process holds; the least recently read goes first. @default 10_000 */
  maxTokens?: number;
  refresh?: RefreshOptions;
  /** `false`: tokens are renewed only when they are read. */
  prewarm?: false | PrewarmOptions;
  events?: EventOptions;
  /** Sends every request of this module: for proxies and tests. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
}

/**
 * @publicApi
 */
export interface FeishuAuthOptionsFactory {
  createFeishuAuthOptions(): FeishuAuthModuleOptions | Promise<FeishuAuthModuleOptions>;
}

/**
 * Options that shape the module itself and so cannot come from a factory.
 *
 * @publicApi
 */
export interface FeishuAuthModuleExtras {
  /** Names this instance; needed as soon as there are two. `'default'` is the unnamed one. */
  name?: string | undefined;
  /** Whether every module can inject its services without importing it. @default true */
  isGlobal?: boolean | undefined;
  /**
   * Where the app's event URL points, e.g. `feishu/events`: registers an endpoint there (below the global prefix). Needs
   * `events`, and an application created with `rawBody: true`.
   */
  webhookPath?: string | undefined;
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
  readonly cache: Cache | undefined;
  readonly lock: RefreshLock | undefined;
  readonly keyPrefix: string;
  readonly encryptionKeys: readonly { id: string; key: Uint8Array }[];
  readonly maxTokens: number;
  readonly refresh: Required<RefreshOptions>;
  readonly prewarm: false | Required<PrewarmOptions>;
  /** Present with at least one of the two keys. */
  readonly events: ResolvedEventOptions | undefined;
  readonly fetch: typeof globalThis.fetch;
}
