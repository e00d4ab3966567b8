import { createCache } from 'cache-manager';
import { FeishuAuthError } from './errors/feishu-auth.error.js';
import { type FeishuAuthModuleExtras, type FeishuAuthModuleOptions } from './feishu-auth.options.js';
import { InProcessRefreshLock } from './lock/in-process-refresh-lock.js';
import { resolveOptions } from './feishu-auth.options.schema.js';

const MINIMUM = { appId: 'cli_a1b2c3', appSecret: 'the-secret-of-the-app' };
const KEY = Buffer.alloc(32, 7).toString('base64');

/** Options of any type, as JavaScript can pass them. */
function resolve(options: unknown, extras?: FeishuAuthModuleExtras) {
  return resolveOptions(options as FeishuAuthModuleOptions, extras);
}

function refusal(options: unknown, extras?: FeishuAuthModuleExtras): FeishuAuthError {
  try {
    resolve(options, extras);
  } catch (error) {
    if (error instanceof FeishuAuthError) return error;
    throw error;
  }
  throw new Error('the options were accepted');
}

/** Returns the problems in the message, one per line. */
function problems(options: unknown, extras?: FeishuAuthModuleExtras): string[] {
  const error = refusal(options, extras);
  expect(error.code).toBe('ERR_FEISHU_CONFIG_INVALID');
  const [headline, ...lines] = error.message.split('\n');
  expect(headline).toMatch(/^FeishuAuthModule \(instance '.*'\) cannot start:$/);
  return lines.map((line) => line.replace(/^ {2}- /, ''));
}

describe('resolveOptions', () => {
  it('adds every default', () => {
    expect(resolveOptions(MINIMUM)).toEqual({
      ...MINIMUM,
      instance: 'default',
      appType: 'self-built',
      openOrigin: 'https://open.feishu.cn',
      accountsOrigin: 'https://accounts.feishu.cn',
      cache: undefined,
      lock: undefined,
      keyPrefix: 'feishu-auth',
      encryptionKeys: [],
      maxTokens: 10_000,
      refresh: {
        requestTimeoutMs: 5_000,
        storeTimeoutMs: 250,
        lockTtlMs: 10_000,
        lockWaitMs: 2_000,
        aheadMs: [1_320_000, 1_680_000],
      },
      prewarm: {
        intervalMs: 30_000,
        concurrency: 8,
        idleAfterMs: 7_200_000,
        onBootstrap: 'background',
      },
      fetch: expect.any(Function),
    });
  });

  it('keeps the given values', () => {
    const cache = createCache();
    const lock = new InProcessRefreshLock();
    const resolved = resolveOptions(
      {
        ...MINIMUM,
        appType: 'store',
        domain: 'lark',
        cache,
        lock,
        keyPrefix: 'mine',
        maxTokens: 5,
        encryptionKeys: [
          { id: 'new', key: KEY },
          { id: 'old', key: Buffer.alloc(32, 1) },
        ],
        refresh: {
          requestTimeoutMs: 1_000,
          storeTimeoutMs: 50,
          lockWaitMs: 100,
          aheadMs: [120_000, 120_000],
        },
        prewarm: { intervalMs: 1_000, concurrency: 1, idleAfterMs: 1, onBootstrap: 'off' },
        fetch: globalThis.fetch,
      },
      { name: 'b' },
    );
    expect(resolved).toMatchObject({
      instance: 'b',
      appType: 'store',
      openOrigin: 'https://open.larksuite.com',
      keyPrefix: 'mine',
      maxTokens: 5,
      refresh: { requestTimeoutMs: 1_000, storeTimeoutMs: 50, lockWaitMs: 100, aheadMs: [120_000, 120_000] },
      prewarm: { intervalMs: 1_000, concurrency: 1, idleAfterMs: 1, onBootstrap: 'off' },
      fetch: globalThis.fetch,
    });
    expect(resolved.cache).toBe(cache);
    expect(resolved.lock).toBe(lock);
    expect(resolved.encryptionKeys.map(({ id, key }) => [id, key.length, key[0]])).toEqual([
      ['new', 32, 7],
      ['old', 32, 1],
    ]);
  });

  it('trims outer white space of IDs, secrets and keys', () => {
    const resolved = resolveOptions({
      appId: ' cli_a1b2c3\n',
      appSecret: 'the-secret-of-the-app\n',
      encryptionKeys: [{ id: 'k1', key: `${KEY}\n` }],
    });
    expect(resolved).toMatchObject(MINIMUM);
    expect(resolved.encryptionKeys[0]?.key).toHaveLength(32);
  });

  it('sets the TTL of the lock to two request timeouts by default', () => {
    const { refresh } = resolveOptions({ ...MINIMUM, refresh: { requestTimeoutMs: 9_000 } });
    expect(refresh.lockTtlMs).toBe(18_000);
  });

  it('calls a global fetch that is replaced after the start', async () => {
    const { fetch } = resolveOptions(MINIMUM);
    const original = globalThis.fetch;
    globalThis.fetch = async () => new Response('patched');
    try {
      expect(await (await fetch('http://127.0.0.1')).text()).toBe('patched');
    } finally {
      globalThis.fetch = original;
    }
  });

  it.each([
    ['https', 'https://open.example.com', 'https://open.example.com'],
    ['a slash at the end', 'https://open.example.com/', 'https://open.example.com'],
    ['a port', 'https://open.example.com:8443', 'https://open.example.com:8443'],
    ['http on 127.0.0.1', 'http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http on all of 127/8', 'http://127.1.2.3', 'http://127.1.2.3'],
    ['http on localhost', 'http://localhost:3000', 'http://localhost:3000'],
    ['http on ::1', 'http://[::1]:3000', 'http://[::1]:3000'],
  ])('accepts an origin with %s', (_, origin, expected) => {
    const { openOrigin } = resolveOptions({ ...MINIMUM, domain: { open: origin, accounts: origin } });
    expect(openOrigin).toBe(expected);
  });

  const ORIGIN = /^domain\.open: must be an origin .*such as https:\/\/open\.feishu\.cn/;
  const SAFE = /^domain\.open: must be https, or http on a loopback host/;
  const at = (open: unknown) => ({ domain: { open, accounts: 'https://accounts.example.com' } });
  const key = (value: unknown, id: unknown = 'k1') => ({ encryptionKeys: [{ id, key: value }] });
  const MS = 'must be a positive number (milliseconds)';
  const COUNT = 'must be a positive number (an integer)';

  it.each<[what: string, wrong: object, told: RegExp | string]>([
    ['appId is empty', { appId: '' }, /^appId: must be the App ID/],
    ['appId is blank', { appId: ' ' }, /^appId: must be the App ID/],
    ['appId is undefined', { appId: undefined }, /^appId: must be the App ID/],
    ['appId is not a string', { appId: 42 }, /^appId: must be the App ID/],
    ['appSecret is empty', { appSecret: '' }, /^appSecret: must be the App Secret/],
    ['appSecret is undefined', { appSecret: undefined }, /^appSecret: must be the App Secret/],
    ['an option is unknown', { apSecret: 'x' }, /^apSecret: unknown option; check the spelling$/],
    ['a nested option is unknown', { refresh: { timeout: 1 } }, /^refresh\.timeout: unknown option/],
    ['a pre-warm option is unknown', { prewarm: { interval: 1 } }, /^prewarm\.interval: unknown option/],
    ['appType is unknown', { appType: 'isv' }, "appType: must be 'self-built' or 'store'"],
    ['domain is unknown', { domain: 'feishu.cn' }, "domain: must be 'feishu', 'lark', or { open, accounts }"],
    ['domain is a URL', { domain: 'https://open.feishu.cn' }, /^domain: must be 'feishu', 'lark'/],
    ['domain is null', { domain: null }, 'domain: must be an object: { open, accounts }'],
    ['domain lacks accounts', { domain: { open: 'https://a.example' } }, 'domain.accounts: is required'],
    ['domain.open is not a URL', at('open.feishu.cn'), ORIGIN],
    ['domain.open is not a string', at(1), ORIGIN],
    ['domain.open has a user', at('https://user@open.example.com'), ORIGIN],
    ['domain.open has a password', at('https://:hunter2pw@open.example.com'), ORIGIN],
    ['domain.open has a path', at('https://open.example.com/open-apis'), ORIGIN],
    ['domain.open has a query', at('https://open.example.com?a=1'), ORIGIN],
    ['domain.open has a fragment', at('https://open.example.com#a'), ORIGIN],
    ['domain.open is http to a remote host', at('http://open.example.com'), SAFE],
    ['domain.open starts like a loopback address', at('http://127.0.0.1.example.com'), SAFE],
    ['domain.open is http to localhost.example.com', at('http://localhost.example.com'), SAFE],
    ['domain.open is http to 0.0.0.0', at('http://0.0.0.0:3000'), SAFE],
    ['domain.open is another protocol', at('ws://open.example.com'), SAFE],
    [
      'domain.accounts is http to a remote host',
      { domain: { open: 'https://open.example.com', accounts: 'http://accounts.example.com' } },
      /^domain\.accounts: must be https/,
    ],
    ['cache has no methods', { cache: {} }, /^cache: must have get\(\) and set\(\)/],
    ['cache is a class', { cache: Map }, /^cache: must have get\(\) and set\(\)/],
    ['cache is null', { cache: null }, /^cache: must have get\(\) and set\(\)/],
    [
      'lock has no acquire()',
      { lock: { lock: () => undefined } },
      /^lock: must be a RefreshLock .*; got an object$/,
    ],
    ['lock is a class', { lock: InProcessRefreshLock }, /^lock: must be a RefreshLock .*; got a function$/],
    [
      'fetch is not a function',
      { fetch: {} },
      'fetch: must be a function with the signature of fetch; got an object',
    ],
    ['keyPrefix is empty', { keyPrefix: '' }, 'keyPrefix: must not be empty'],
    [
      'encryptionKeys is not a list',
      { encryptionKeys: KEY },
      'encryptionKeys: must be a list of { id, key }',
    ],
    [
      'encryptionKeys is empty',
      { encryptionKeys: [] },
      /^encryptionKeys: must not be empty; leave the option out/,
    ],
    ['a key is not an object', { encryptionKeys: [KEY] }, 'encryptionKeys.0: must be an object: { id, key }'],
    ['a key has no id', { encryptionKeys: [{ key: KEY }] }, /^encryptionKeys\.0\.id: is required/],
    ['a key id is empty', key(KEY, ''), /^encryptionKeys\.0\.id: must be 1 to 64 letters/],
    ['a key id has other characters', key(KEY, 'a b'), /^encryptionKeys\.0\.id: must be 1 to 64 letters/],
    ['a key is missing', { encryptionKeys: [{ id: 'k1' }] }, /^encryptionKeys\.0\.key: is required/],
    ['a key has 16 bytes', key(Buffer.alloc(16)), /^encryptionKeys\.0\.key: must be 32 bytes/],
    ['a key has 33 bytes', key(Buffer.alloc(33)), /^encryptionKeys\.0\.key: must be 32 bytes/],
    ['a key is base64 of 31 bytes', key(Buffer.alloc(31).toString('base64')), /must be 32 bytes/],
    ['a key is hex', key(Buffer.alloc(32).toString('hex')), /must be 32 bytes/],
    ['a key is a passphrase', key('correct horse battery staple and seven more words'), /must be 32 bytes/],
    ['a key is base64 with something after it', key(`${KEY}****`), /must be 32 bytes/],
    ['a key is a number', key(32), /must be 32 bytes/],
    ['a key is an array of 16-bit words', key(new Uint16Array(32)), /must be 32 bytes/],
    [
      'two keys have the same id',
      {
        encryptionKeys: [
          { id: 'a', key: KEY },
          { id: 'a', key: KEY },
        ],
      },
      'encryptionKeys: must not contain the same id twice',
    ],
    ['maxTokens is 0', { maxTokens: 0 }, `maxTokens: ${COUNT}`],
    ['maxTokens is negative', { maxTokens: -1 }, `maxTokens: ${COUNT}`],
    ['maxTokens is NaN', { maxTokens: Number.NaN }, `maxTokens: ${COUNT}`],
    ['maxTokens is infinite', { maxTokens: Infinity }, `maxTokens: ${COUNT}`],
    ['maxTokens is a fraction', { maxTokens: 1.5 }, 'maxTokens: must be an integer'],
    ['maxTokens is a string', { maxTokens: '10' }, `maxTokens: ${COUNT}; got a string`],
    ['refresh is not an object', { refresh: 5 }, /^refresh: must be an object: \{ requestTimeoutMs, /],
    ['requestTimeoutMs is 0', { refresh: { requestTimeoutMs: 0 } }, `refresh.requestTimeoutMs: ${MS}`],
    [
      'requestTimeoutMs is NaN',
      { refresh: { requestTimeoutMs: Number.NaN } },
      `refresh.requestTimeoutMs: ${MS}`,
    ],
    ['storeTimeoutMs is negative', { refresh: { storeTimeoutMs: -1 } }, `refresh.storeTimeoutMs: ${MS}`],
    ['lockTtlMs is 0', { refresh: { lockTtlMs: 0 } }, `refresh.lockTtlMs: ${MS}`],
    ['lockWaitMs is a string', { refresh: { lockWaitMs: '2s' } }, `refresh.lockWaitMs: ${MS}`],
    [
      'the lock lives less than two request timeouts',
      { refresh: { requestTimeoutMs: 3_000, lockTtlMs: 5_999 } },
      /^refresh\.lockTtlMs: must be at least two request timeouts, here 6000; raise it or lower/,
    ],
    [
      'the lock lives less than two default timeouts',
      { refresh: { lockTtlMs: 9_999 } },
      /must be at least two request timeouts, here 10000/,
    ],
    [
      'aheadMs is a number',
      { refresh: { aheadMs: 5 } },
      'refresh.aheadMs: must be [min, max] in milliseconds',
    ],
    ['aheadMs lacks its max', { refresh: { aheadMs: [60_000] } }, /^refresh\.aheadMs\.1: /],
    ['aheadMs has a 0', { refresh: { aheadMs: [0, 60_000] } }, `refresh.aheadMs.0: ${MS}`],
    [
      'aheadMs has min and max exchanged',
      { refresh: { aheadMs: [600_000, 500_000] } },
      /must be \[min, max\] with min <= max/,
    ],
    [
      'aheadMs reaches 30 minutes',
      { refresh: { aheadMs: [600_000, 1_800_000] } },
      /^refresh\.aheadMs: must be below 1_800_000 \(30 minutes\)/,
    ],
    [
      'aheadMs is beyond 30 minutes',
      { refresh: { aheadMs: [1_900_000, 1_900_000] } },
      /must be below 1_800_000/,
    ],
    ['prewarm is true', { prewarm: true }, /^prewarm: must be an object: \{ intervalMs, /],
    ['intervalMs is 0', { prewarm: { intervalMs: 0 } }, `prewarm.intervalMs: ${MS}`],
    ['concurrency is 0', { prewarm: { concurrency: 0 } }, `prewarm.concurrency: ${COUNT}`],
    [
      'concurrency is a fraction',
      { prewarm: { concurrency: 0.5 } },
      /^prewarm\.concurrency: must be an integer/,
    ],
    ['idleAfterMs is negative', { prewarm: { idleAfterMs: -1 } }, `prewarm.idleAfterMs: ${MS}`],
    [
      'onBootstrap is unknown',
      { prewarm: { onBootstrap: 'always' } },
      "prewarm.onBootstrap: must be 'background', 'require' or 'off'",
    ],
    [
      'pre-warm would always be late',
      { prewarm: { intervalMs: 1_260_000 } },
      /^prewarm\.intervalMs: must be below .* 1260000, or every sweep is late; lower it or raise refresh\.aheadMs$/,
    ],
    [
      'events is not an object',
      { events: 'a-verification-token' },
      /^events: must be an object: \{ encryptKey, /,
    ],
    ['encryptKey is empty', { events: { encryptKey: '' } }, 'events.encryptKey: must not be empty'],
    [
      'verificationToken is empty',
      { events: { verificationToken: ' ' } },
      /^events\.verificationToken: must/,
    ],
    ['maxSkewMs is negative', { events: { maxSkewMs: -5 } }, `events.maxSkewMs: ${MS}`],
  ])('refuses to start when %s', (_, wrong, told) => {
    const [problem, ...others] = problems({ ...MINIMUM, ...wrong });
    expect(problem).toMatch(told);
    expect(others).toEqual([]);
  });

  it('accepts the longest interval that is in time, and any interval without pre-warm', () => {
    expect(resolveOptions({ ...MINIMUM, prewarm: { intervalMs: 1_259_999 } }).prewarm).toBeTruthy();
    const options = { ...MINIMUM, refresh: { aheadMs: [1_000, 2_000] as const }, prewarm: false as const };
    expect(resolveOptions(options).prewarm).toBe(false);
  });

  it.each([['appId'], ['appSecret']])('tells where to find a missing %s', (option) => {
    const options = { ...MINIMUM, [option]: undefined };
    delete options[option as keyof typeof options];
    expect(problems(options)).toEqual([
      expect.stringMatching(new RegExp(`^${option}: is required: copy the App `)),
    ]);
  });

  it.each([[undefined], [null], ['cli_a1b2c3'], [[]]])('refuses %p for options', (options) => {
    expect(problems(options)[0]).toMatch(
      /must be an object with at least appId and appSecret|appId: is required/,
    );
  });

  it.each([[''], ['a b'], ['a:b'], ['a/b'], ['é'], ['x'.repeat(65)]])('refuses the name %p', (name) => {
    expect(problems(MINIMUM, { name })).toEqual(['name: must be 1 to 64 letters, digits, ".", "_" or "-"']);
  });

  it('refuses a webhookPath without a key that verifies events', () => {
    expect(problems(MINIMUM, { webhookPath: '/feishu/events' })).toEqual([
      expect.stringMatching(
        /^webhookPath: needs events\.encryptKey or events\.verificationToken; without a key anyone could send events/,
      ),
    ]);
  });

  it('reports all problems in one error with the name of the instance', () => {
    const wrong = { appId: '', maxTokens: -1, refresh: { storeTimeoutMs: 0 } };
    expect(problems({ ...MINIMUM, ...wrong })).toEqual([
      expect.stringMatching(/^appId: /),
      expect.stringMatching(/^maxTokens: /),
      expect.stringMatching(/^refresh\.storeTimeoutMs: /),
    ]);
    expect(refusal({ ...MINIMUM, ...wrong }, { name: 'b' }).message).toContain("instance 'b'");
  });

  // A wrong value may be a secret.
  const SECRET = 'S3CRET-7f3a9b';
  it.each([
    ['appId', [SECRET]],
    ['appSecret', { value: SECRET }],
    ['appType', SECRET],
    ['domain', SECRET],
    ['domain', { open: SECRET, accounts: SECRET }],
    ['domain', { open: `https://${SECRET}:${SECRET}@host`, accounts: `http://${SECRET}.example` }],
    ['cache', SECRET],
    ['lock', SECRET],
    ['fetch', SECRET],
    ['keyPrefix', [SECRET]],
    ['encryptionKeys', SECRET],
    ['encryptionKeys', [SECRET]],
    ['encryptionKeys', [{ id: 'a', key: SECRET }]],
    ['encryptionKeys', [{ id: `${SECRET} !`, key: KEY }]],
    ['maxTokens', SECRET],
    ['refresh', SECRET],
    ['refresh', { requestTimeoutMs: SECRET }],
    ['refresh', { aheadMs: SECRET }],
    ['refresh', { aheadMs: [SECRET, SECRET] }],
    ['prewarm', SECRET],
    ['prewarm', { onBootstrap: SECRET }],
    ['events', SECRET],
    ['events', { encryptKey: [SECRET] }],
    ['users', SECRET],
    ['users', { store: SECRET, redirectUri: `http://${SECRET}.example`, scopes: [`${SECRET} ${SECRET}`] }],
    ['users', { store: SECRET, oauth: SECRET, claimMs: SECRET, keepAlive: SECRET }],
    ['anything', SECRET],
  ])('never quotes the value of %s: %j', (option, value) => {
    const error = refusal({ ...MINIMUM, [option]: value });
    expect(error.message).toContain(option);
    expect(error.message).not.toContain(SECRET);
    expect(error.message).not.toContain(MINIMUM.appSecret);
  });
});
