import { types } from 'node:util';
import * as v from 'valibot';
import { FeishuAuthError } from './errors/feishu-auth.error.js';
import { count, group, ms, origin, text, withMethods } from './feishu-auth.options.checks.js';
import {
  type FeishuAuthModuleExtras,
  type FeishuAuthModuleOptions,
  type ResolvedOptions,
} from './feishu-auth.options.js';
import { PREWARM_DEFAULTS } from './prewarm/prewarm-defaults.js';
import { MUST_REFRESH_MS, SAME_TOKEN_WINDOW_MS } from './tokens/freshness.js';
import { resolveUserOptions, userOptions, userProblems } from './users/user-options.schema.js';

const MINUTE = 60_000;

const DOMAINS = {
  feishu: { open: 'https://open.feishu.cn', accounts: 'https://accounts.feishu.cn' },
  lark: { open: 'https://open.larksuite.com', accounts: 'https://accounts.larksuite.com' },
};

const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/_-]{43}=?$/;
const encryptionKey = group({
  id: v.pipe(
    v.string('must be a string that names the key'),
    v.regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"'),
  ),
  key: v.pipe(
    v.custom<Uint8Array | string>(
      (key) =>
        typeof key === 'string'
          ? BASE64_OF_32_BYTES.test(key.trim())
          : types.isUint8Array(key) && key.length === 32,
      'must be 32 bytes or their base64, for example from `openssl rand -base64 32`',
    ),
    v.transform((key) => (typeof key === 'string' ? new Uint8Array(Buffer.from(key, 'base64')) : key)),
  ),
});

const knownDomain = v.picklist(['feishu', 'lark'], "must be 'feishu', 'lark', or { open, accounts }");
const customDomain = group({ open: origin, accounts: origin });

const prewarm = group({
  intervalMs: v.optional(ms, PREWARM_DEFAULTS.intervalMs),
  concurrency: v.optional(count, PREWARM_DEFAULTS.concurrency),
  idleAfterMs: v.optional(ms, PREWARM_DEFAULTS.idleAfterMs),
  onBootstrap: v.optional(
    v.picklist(['background', 'require', 'off'], "must be 'background', 'require' or 'off'"),
    PREWARM_DEFAULTS.onBootstrap,
  ),
});

const Options = group({
  appId: text('must be the App ID (cli_...) from the developer console'),
  appSecret: text('must be the App Secret from the developer console'),
  appType: v.optional(v.picklist(['self-built', 'store'], "must be 'self-built' or 'store'"), 'self-built'),
  domain: v.optional(
    v.lazy((value) => (typeof value === 'object' ? customDomain : knownDomain)),
    'feishu',
  ),
  cache: v.optional(
    withMethods<NonNullable<FeishuAuthModuleOptions['cache']>>(
      ['get', 'set'],
      'must have get() and set(), as a cache-manager Cache does: createCache({ stores: [...] })',
    ),
  ),
  lock: v.optional(
    withMethods<NonNullable<FeishuAuthModuleOptions['lock']>>(
      ['acquire'],
      'must be a RefreshLock with acquire(), such as RedisRefreshLock from nestjs-feishu-auth/redis',
    ),
  ),
  keyPrefix: v.optional(text('must not be empty'), 'feishu-auth'),
  encryptionKeys: v.optional(
    v.pipe(
      v.array(encryptionKey, 'must be a list of { id, key }'),
      v.minLength(1, 'must not be empty; leave the option out to store tokens without encryption'),
      v.check(
        (keys) => new Set(keys.map(({ id }) => id)).size === keys.length,
        'must not contain the same id twice',
      ),
    ),
  ),
  maxTokens: v.optional(count, 10_000),
  refresh: v.optional(
    group({
      requestTimeoutMs: v.optional(ms, 5_000),
      storeTimeoutMs: v.optional(ms, 250),
      lockTtlMs: v.optional(ms),
      lockWaitMs: v.optional(ms, 2_000),
      aheadMs: v.optional(
        v.pipe(
          v.tuple([ms, ms], 'must be [min, max] in milliseconds'),
          v.check(([min, max]) => min <= max, 'must be [min, max] with min <= max'),
          v.check(
            ([, max]) => max < SAME_TOKEN_WINDOW_MS,
            'must be below 1_800_000 (30 minutes): with more time left, Feishu returns the same token',
          ),
        ),
        [22 * MINUTE, 28 * MINUTE],
      ),
    }),
    {},
  ),
  prewarm: v.optional(
    v.lazy((value) => (value === false ? v.literal(false) : prewarm)),
    {},
  ),
  events: v.optional(
    group({
      encryptKey: v.optional(text('must not be empty')),
      verificationToken: v.optional(text('must not be empty')),
      maxSkewMs: v.optional(ms, 8 * 60 * MINUTE),
    }),
  ),
  users: v.optional(userOptions),
  fetch: v.optional(
    v.custom<typeof globalThis.fetch>(
      (value) => typeof value === 'function',
      'must be a function with the signature of fetch',
    ),
  ),
});

type ParsedOptions = v.InferOutput<typeof Options>;

const WHY_A_KEY =
  'without a key anyone could send events. Copy the Encrypt Key (safer) or the Verification Token from "Events & Callbacks" in the developer console';

/**
 * Checks every option and adds the defaults. The error names each wrong option, the problem and the fix, but not the
 * value, which may be a secret.
 *
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID`
 * @internal
 */
export function resolveOptions(
  options: FeishuAuthModuleOptions,
  { name, webhookPath, loginPath }: FeishuAuthModuleExtras = {},
): ResolvedOptions {
  const instance = name ?? 'default';
  const parsed = v.safeParse(Options, options, { abortPipeEarly: true });
  const problems = parsed.success ? crossProblems(parsed.output) : parsed.issues.map(describe);
  if (!/^[\w.-]{1,64}$/.test(instance)) {
    problems.push('name: must be 1 to 64 letters, digits, ".", "_" or "-"');
  }
  if (webhookPath !== undefined) problems.push(...webhookProblems(webhookPath, options));
  if (loginPath !== undefined) problems.push(...loginProblems(loginPath, options));
  if (!parsed.success || problems.length > 0) throw invalid(instance, problems);

  const { domain, refresh, prewarm: warm, fetch: customFetch, ...rest } = parsed.output;
  const { appId, appSecret, appType, keyPrefix, maxTokens } = rest;
  const origins = typeof domain === 'string' ? DOMAINS[domain] : domain;
  return {
    instance,
    appId,
    appSecret,
    appType,
    keyPrefix,
    maxTokens,
    openOrigin: new URL(origins.open).origin,
    accountsOrigin: new URL(origins.accounts).origin,
    cache: rest.cache,
    lock: rest.lock,
    encryptionKeys: rest.encryptionKeys ?? [],
    refresh: { ...refresh, lockTtlMs: refresh.lockTtlMs ?? defaultLockTtlMs(refresh.requestTimeoutMs) },
    prewarm: warm,
    events: rest.events && {
      encryptKey: rest.events.encryptKey,
      verificationToken: rest.events.verificationToken,
      maxSkewMs: rest.events.maxSkewMs,
    },
    users: rest.users && resolveUserOptions(rest.users, refresh.requestTimeoutMs),
    fetch: customFetch ?? nodesFetch(),
  };
}

/**
 * Node loads its fetch at the first use, which blocks the event loop for 20 to 40 ms: load it at the start, not during
 * a renewal. The global is looked up at each call, because tracing tools and tests replace it later.
 */
function nodesFetch(): typeof globalThis.fetch {
  void globalThis.Request;
  return (...request) => globalThis.fetch(...request);
}

/** Checks options that depend on each other. */
function crossProblems({ refresh, prewarm: warm, events, users }: ParsedOptions): string[] {
  const problems: string[] = [];
  const { requestTimeoutMs, lockTtlMs = Infinity, aheadMs } = refresh;
  if (lockTtlMs < 2 * requestTimeoutMs) {
    problems.push(
      `refresh.lockTtlMs: must be at least two request timeouts, here ${2 * requestTimeoutMs}; raise it or lower refresh.requestTimeoutMs`,
    );
  }
  if (warm !== false && warm.intervalMs >= aheadMs[0] - MUST_REFRESH_MS) {
    problems.push(
      `prewarm.intervalMs: must be below refresh.aheadMs[0] - 60_000, here ${aheadMs[0] - MUST_REFRESH_MS}, or every sweep is late; lower it or raise refresh.aheadMs`,
    );
  }
  if (events && !events.encryptKey && !events.verificationToken) {
    problems.push(`events: needs encryptKey or verificationToken; ${WHY_A_KEY}`);
  }
  if (users) problems.push(...userProblems(users, requestTimeoutMs));
  return problems;
}

function webhookProblems(webhookPath: unknown, options: FeishuAuthModuleOptions): string[] {
  // Other problems of `events` are reported by the schema.
  const { encryptKey, verificationToken } = (options?.events ?? {}) as Record<string, unknown>;
  const problems: string[] = [];
  if (!encryptKey && !verificationToken) {
    problems.push(`webhookPath: needs events.encryptKey or events.verificationToken; ${WHY_A_KEY}`);
  }
  if (!isPlainPath(webhookPath)) {
    problems.push('webhookPath: must be a path without parameters, such as feishu/events');
  }
  return problems;
}

function loginProblems(loginPath: unknown, options: FeishuAuthModuleOptions): string[] {
  const { users, appSecret, encryptionKeys } = (options ?? {}) as Partial<FeishuAuthModuleOptions>;
  const problems: string[] = [];
  if (users === undefined) problems.push('loginPath: requires users: { store }, where logins are kept');
  if (appSecret === undefined && encryptionKeys === undefined) {
    problems.push('loginPath: requires encryptionKeys in an app without appSecret, to seal the login cookie');
  }
  if (!isPlainPath(loginPath))
    problems.push('loginPath: must be a path without parameters, such as auth/feishu');
  return problems;
}

function isPlainPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/?[\w.~-]+(\/[\w.~-]+)*\/?$/.test(path);
}

function defaultLockTtlMs(requestTimeoutMs: number): number {
  return Math.max(10_000, 2 * requestTimeoutMs);
}

function describe(issue: v.InferIssue<typeof Options>): string {
  const path = v.getDotPath(issue);
  if (path === null) return 'options: must be an object with at least appId and appSecret';
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  if (isUnknown) return `${path}: unknown option; check the spelling`;
  const isMissing = issue.type === 'strict_object' && issue.received === 'undefined';
  if (isMissing) return `${path}: ${MISSING[path] ?? 'is required'}`;
  return `${path}: ${issue.message}${given(issue)}`;
}

/** Names the type of a value of the wrong type; the value itself may be a secret. */
function given({ kind, input }: v.InferIssue<typeof Options>): string {
  if (kind !== 'schema') return '';
  if (input === null || input === undefined) return `; got ${input}`;
  if (Array.isArray(input)) return '; got an array';
  const type = typeof input;
  return `; got ${type === 'object' ? 'an' : 'a'} ${type}`;
}

const MISSING: Readonly<Record<string, string>> = {
  'users.store': 'is required: the store of user logins, for example new FileUserTokenStore({ directory })',
  appId: 'is required: copy the App ID (cli_...) from the developer console',
  appSecret: 'is required: copy the App Secret from the developer console',
};

function invalid(instance: string, problems: readonly string[]): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_CONFIG_INVALID',
    `FeishuAuthModule (instance '${instance}') cannot start:\n${problems.map((it) => `  - ${it}`).join('\n')}`,
  );
}
