import { inspect } from 'node:util';
import { FeishuAuthHealthIndicator } from '../../lib/health/feishu-auth.health.js';
import { RefreshLock } from '../../lib/lock/refresh-lock.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, hang } from '../fixtures/fake-store.js';
import { ScriptedPlatform, type ScriptedAnswer } from '../fixtures/scripted-platform.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';
import { type AppType } from '../../lib/platform/app-type.js';

const TENANT = { kind: 'tenant' } as const;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const CLOSE_GRACE_MS = SECOND;
/** Renewal is due by then, at the latest draw, and the token has 20 minutes left. */
const RENEWAL_DUE_MS = 100 * MINUTE;

const SECRET = 'the-secret-of-the-app';
const TICKET = 'ticket-that-nobody-may-see';

/** What became of `work`, so far. */
function watch<T>(work: Promise<T>): { value?: T; error?: unknown; isOver: boolean } {
  const seen: { value?: T; error?: unknown; isOver: boolean } = { isOver: false };
  work.then(
    (value) => Object.assign(seen, { value, isOver: true }),
    (error: unknown) => Object.assign(seen, { error, isOver: true }),
  );
  return seen;
}

async function failureOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it was to fail');
}

async function healthOf({ engine }: TokenWorld): Promise<Record<string, unknown>> {
  const indicator = new FeishuAuthHealthIndicator({
    instance: engine.options.instance,
    appType: engine.options.appType,
    metrics: engine.metrics,
    slots: engine.slots,
    hasTicket: () => engine.tickets.hasTicket(),
  });
  const { 'feishu-auth': health } = await indicator.isHealthy();
  return health as Record<string, unknown>;
}

describe('isolation', () => {
  expectNoUnhandledRejections();

  const LARK = { domain: 'lark' } as const;
  const PRIVATE = { domain: { open: 'https://open.example.com:8443', accounts: 'https://a.example.com' } };
  const everyOther: readonly (readonly [what: string, options: TokenWorldOptions])[] = [
    ['another domain', LARK],
    ['a private domain', PRIVATE],
    ['another port of it', { domain: { ...PRIVATE.domain, open: 'https://open.example.com:9443' } }],
    ['another app', { appId: 'cli_other' }],
    ['an app whose id looks like a key', { appId: 'cli_test:tenant' }],
    ['another secret', { appSecret: 'the-secret-after-rotation' }],
    ['another prefix', { keyPrefix: 'staging' }],
    ['a prefix that looks like a key', { keyPrefix: 'feishu-auth:v1' }],
  ];

  it('#49 on one store, no two of domain, app, secret, prefix, kind and tenant meet', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    let serial = 0;
    // Every grant gives a token of its own, so that no two can be the same by chance.
    const fetch: typeof globalThis.fetch = () => {
      const value = `t-${++serial}`;
      const granted = { code: 0, tenant_access_token: value, app_access_token: value, expire: 7_200 };
      return Promise.resolve(new Response(JSON.stringify(granted)));
    };
    const given = new Map<string, string>();
    const worlds: TokenWorld[] = [];
    for (const appType of ['self-built', 'store'] as const) {
      for (const [what, options] of [['the first', {}], ...everyOther] as const) {
        // A store app has the same app token key as a self-built one: told apart here by its id.
        const appId = `${options.appId ?? 'cli_test'}${appType === 'store' ? '_store' : ''}`;
        const world = new TokenWorld({ clock, fetch, cache: store.managed, ...options, appType, appId });
        worlds.push(world);
        given.set(`${appType} ${what}: app`, await readApp(world, appType));
        for (const tenantKey of appType === 'store' ? ['a', 'b', 'A', 'app', 'tenant'] : [undefined]) {
          const query = tenantKey === undefined ? TENANT : { ...TENANT, tenantKey };
          const { value, source } = await world.settle(world.tokens.getToken(query));
          expect({ what, tenantKey, source }).toEqual({ what, tenantKey, source: 'platform' });
          given.set(`${appType} ${what}: tenant ${tenantKey}`, value);
        }
        await TestClock.settle();
      }
    }
    expect(new Set(given.values()).size).toBe(given.size);
    const records = given.size + everyOther.length + 1; // and one ticket a store app
    expect(store.size).toBe(records);
    expect(new Set(store.keys).size).toBe(records);
    // Whatever is in a part, the parts are as many as they are: host, app, fingerprint, kind and perhaps the tenant.
    for (const key of store.keys) expect(key).toMatch(/^[\w%.-]+:v1:\{[\w%.-]+(:[\w%.-]+){3,4}\}$/);
    for (const world of worlds) await world.close();

    async function readApp(world: TokenWorld, appType: AppType): Promise<string> {
      if (appType === 'store') await world.engine.tickets.set(TICKET);
      return world.settle(world.tokens.getAppAccessToken());
    }
  });

  it('#49 the same configuration does meet', async () => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    const cache = new FakeStore(clock).managed;
    const [a, b] = [new TokenWorld({ clock, platform, cache }), new TokenWorld({ clock, platform, cache })];
    const token = await a.settle(a.tokens.getTenantAccessToken());
    expect(await b.settle(b.tokens.getToken(TENANT))).toMatchObject({ value: token, source: 'store' });
    await a.close();
    await b.close();
  });

  it('#49 a rotated secret starts afresh, and no key tells the secret', async () => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    const store = new FakeStore(clock);
    const before = new TokenWorld({ clock, platform, cache: store.bare });
    await before.settle(before.tokens.getTenantAccessToken());
    const after = new TokenWorld({ clock, platform, cache: store.bare, appSecret: 'rotated-secret' });
    expect(await after.settle(after.tokens.getToken(TENANT))).toMatchObject({ source: 'platform' });
    expect(platform.calls.map(({ body }) => body['app_secret'])).toEqual([SECRET, 'rotated-secret']);
    await TestClock.settle();
    expect(store.keys).toHaveLength(2);
    for (const secret of [SECRET, 'rotated-secret']) expect(store.keys.join()).not.toContain(secret);
    await before.close();
    await after.close();
  });

  it.each(['', 'a'.repeat(129), 'a b', 'a:b', 'a}', 'a/b', 'ä', 'a\n', '../a'])(
    '#49 a tenant key that could leave its place is refused: %j',
    async (tenantKey) => {
      const world = new TokenWorld({ appType: 'store' });
      const asked = failureOf(world.tokens.getTenantAccessToken({ tenantKey }));
      expect(await asked).toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
      expect(world.platform.calls).toEqual([]);
    },
  );
});

describe('closing', () => {
  expectNoUnhandledRejections();

  it('#50 during a refresh that hangs: waits for the grace, then every waiter learns of it', async () => {
    const world = new TokenWorld();
    world.platform.outage = { hangs: true };
    const waiters = Array.from({ length: 5 }, () => watch(world.tokens.getTenantAccessToken()));
    await TestClock.settle();

    const closing = watch(world.engine.beforeApplicationShutdown());
    await world.clock.advance(CLOSE_GRACE_MS - 1);
    expect(closing.isOver).toBe(false);
    expect(waiters.some(({ isOver }) => isOver)).toBe(false);
    await world.clock.advance(1);
    expect(closing).toMatchObject({ isOver: true });
    for (const waiter of waiters) expect(waiter.error).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(world.clock.pendingTimers).toBe(0);

    world.engine.onApplicationShutdown();
    expect(world.clock.pendingTimers).toBe(0);
    expect(world.logged).toEqual([]); // closing is no failure
  });

  it('#50 during a refresh that goes well: waits for it, and its token is stored', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = new TokenWorld({ clock, cache: store.managed });
    world.platform.latencyMs = 400;
    const waiter = watch(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    const closing = watch(world.engine.beforeApplicationShutdown());
    await clock.advance(399);
    expect(closing.isOver).toBe(false);
    await clock.advance(1);
    expect(closing.isOver).toBe(true);
    expect(waiter.value).toBeDefined();
    expect(store.dump()).toContain(String(waiter.value));
    world.engine.onApplicationShutdown();
    expect(clock.pendingTimers).toBe(0);
  });

  it('#50 while a background renewal hangs, what is held is still served until the end', async () => {
    const world = new TokenWorld();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await world.clock.advance(RENEWAL_DUE_MS);
    world.platform.outage = { hangs: true };
    expect(await world.tokens.getTenantAccessToken()).toBe(token);
    await TestClock.settle();
    expect(world.platform.tokenCalls).toBe(2);

    await world.settle(world.engine.beforeApplicationShutdown());
    expect(world.clock.pendingTimers).toBe(0);
    // Requests that the host still serves: no renewal any more, and no wait.
    expect(await world.tokens.getTenantAccessToken()).toBe(token);
    expect(world.tokens.handle(TENANT).peek()).toBe(token);
    await TestClock.settle();
    expect(world.platform.tokenCalls).toBe(2);
    expect(world.clock.pendingTimers).toBe(0);

    world.engine.onApplicationShutdown();
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
    expect(await failureOf(world.tokens.getTenantAccessToken())).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(await world.tokens.invalidate(TENANT, token)).toBe(false);
    expect(await failureOf(world.tokens.refresh(TENANT))).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('#50 a cold read between the two steps of closing starts nothing and fails at once', async () => {
    const world = new TokenWorld();
    world.platform.outage = { hangs: true };
    await world.settle(world.engine.beforeApplicationShutdown());
    const late = watch(world.tokens.getTenantAccessToken());
    const renewed = watch(world.tokens.refresh({ kind: 'app' }));
    await TestClock.settle();
    expect(late.error).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(renewed.error).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(world.platform.calls).toEqual([]);
    world.engine.onApplicationShutdown();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('#50 whatever hangs at the time, no timer is left behind', async () => {
    class DeafLock extends RefreshLock {
      acquire(): Promise<never> {
        return hang();
      }
    }
    const hanging: readonly (readonly [string, (store: FakeStore) => TokenWorldOptions])[] = [
      ['the store', (store) => (store.break(hang), { cache: store.bare })],
      ['the lock', () => ({ lock: new DeafLock() })],
      ['store and lock', (store) => (store.break(hang), { cache: store.managed, lock: new DeafLock() })],
    ];
    for (const [what, options] of hanging) {
      const clock = new TestClock();
      const world = new TokenWorld({ clock, appType: 'store', ...options(new FakeStore(clock)) });
      world.platform.outage = { hangs: true };
      void world.engine.tickets.set(TICKET);
      const waiters = [
        watch(world.tokens.getAppAccessToken()),
        watch(world.tokens.getTenantAccessToken({ tenantKey: 'a' })),
        watch(world.tokens.refresh({ ...TENANT, tenantKey: 'b' })),
      ];
      await TestClock.settle();
      const startedAt = clock.monotonic();
      await world.close();
      expect(clock.monotonic() - startedAt).toBeLessThanOrEqual(CLOSE_GRACE_MS + 50);
      const codes = waiters.map(({ error }) => (error as { code?: string } | undefined)?.code);
      expect({ what, codes }).toEqual({ what, codes: Array(3).fill('ERR_FEISHU_CLOSED') });
      expect({ what, pending: clock.pendingTimers }).toEqual({ what, pending: 0 });
    }
  });

  it('#50 who waits for a ticket is told at once', async () => {
    const world = new TokenWorld({ appType: 'store' });
    const waiters = [
      watch(world.engine.tickets.waitForTicket()),
      watch(world.tokens.getTenantAccessToken({ tenantKey: 'a' })),
    ];
    await world.clock.advance(500);
    expect(waiters.some(({ isOver }) => isOver)).toBe(false);
    const startedAt = world.clock.monotonic();
    await world.close();
    expect(world.clock.monotonic() - startedAt).toBeLessThanOrEqual(50);
    for (const { error } of waiters) expect(error).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('secrets', () => {
  expectNoUnhandledRejections();

  /** Everything that a logger, an error reporter or a debugger could make of a value. */
  function everythingOf(value: unknown): string {
    const parts = [inspect(value, { showHidden: true, depth: Infinity, getters: true }), String(value)];
    parts.push(JSON.stringify(value) ?? '');
    for (let error = value, depth = 0; error instanceof Error && depth < 10; error = error.cause, depth++) {
      parts.push(
        error.message,
        String(error.stack),
        JSON.stringify(error, Object.getOwnPropertyNames(error)),
      );
    }
    return parts.join('\n');
  }

  /** As axios does it: the error has the whole request in it, and its message quotes it as well. */
  function httpClientError(url: unknown, body: string): Error {
    const config = { url, data: body, headers: { authorization: `Bearer ${body}` } };
    const socket = Object.assign(new Error(`write EPIPE of ${body}`), { code: 'EPIPE', config });
    return Object.assign(new Error(`Request failed: ${body}`, { cause: socket }), {
      name: 'AxiosError',
      code: 'ERR_NETWORK',
      config,
      request: { body },
      response: { data: body },
      toJSON: () => ({ config }),
    });
  }

  const quoting: readonly (readonly [string, (url: unknown, body: string) => Promise<Response> | never])[] = [
    ['rejects with the request in it', (url, body) => Promise.reject(httpClientError(url, body))],
    [
      'throws with the request in it',
      (url, body) => {
        throw httpClientError(url, body);
      },
    ],
    ['rejects with a text', (_, body) => Promise.reject(body)],
    ['rejects with an object', (_, body) => Promise.reject({ body, message: body })],
    [
      'rejects with an aggregate',
      (url, body) => Promise.reject(new AggregateError([httpClientError(url, body)], body)),
    ],
    [
      'rejects with an error that is its own cause',
      (_, body) => {
        const e = new Error(body);
        e.cause = e;
        return Promise.reject(e);
      },
    ],
    [
      'breaks off while the answer is read',
      (url, body) =>
        Promise.resolve({
          ok: true,
          status: 200,
          headers: new Headers(),
          text: () => Promise.reject(httpClientError(url, body)),
        } as unknown as Response),
    ],
    ['echoes it in msg', (_, body) => reply({ code: 10015, msg: `wrong: ${body}` })],
    ['echoes it in a long msg', (_, body) => reply({ code: 10014, msg: `${'x'.repeat(100)}${body}` })],
    ['echoes it in the msg of a code nobody knows', (_, body) => reply({ code: 123456, msg: body })],
    ['echoes it in the msg of a rate limit', (_, body) => reply({ code: 99991400, msg: body })],
    ['echoes it in the msg of HTTP 500', (_, body) => reply({ code: 2200, msg: body }, 500)],
    ['echoes it as no JSON', (_, body) => Promise.resolve(new Response(`<html>${body}`, { status: 502 }))],
    [
      'echoes it where the token should be',
      (_, body) =>
        reply({ code: 0, tenant_access_token: `\n${body}`, app_access_token: `\n${body}`, expire: 7_200 }),
    ],
    [
      'echoes it where the life should be',
      (_, body) => reply({ code: 0, tenant_access_token: 't', app_access_token: 'a', expire: body }),
    ],
  ];
  const reply = (body: object, status = 200): Promise<Response> =>
    Promise.resolve(new Response(JSON.stringify(body), { status }));

  it.each(quoting)('#51 a fetch that %s gives no secret away', async (_, quote) => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    platform.ticket = TICKET;
    let isQuoting = false;
    const fetch: typeof globalThis.fetch = (input, init) =>
      isQuoting ? quote(input, init?.body as string) : platform.fetch(input, init);
    const options = { clock, platform, fetch };
    const selfBuilt = new TokenWorld(options);
    const store = new TokenWorld({ ...options, appType: 'store' });
    const cold = new TokenWorld({ ...options, appType: 'store' });
    await store.engine.tickets.set(TICKET);
    await cold.engine.tickets.set(TICKET);
    const appToken = await store.settle(store.tokens.getAppAccessToken());
    const token = await selfBuilt.settle(selfBuilt.tokens.getTenantAccessToken());
    isQuoting = true;

    const errors = [
      await failureOf(selfBuilt.settle(selfBuilt.tokens.getAppAccessToken())),
      await failureOf(selfBuilt.settle(selfBuilt.tokens.getAppAccessToken())), // from the memory of it
      await failureOf(selfBuilt.settle(selfBuilt.tokens.refresh(TENANT))),
      await failureOf(store.settle(store.tokens.getTenantAccessToken({ tenantKey: 'tenant-a' }))),
      await failureOf(cold.settle(cold.tokens.getAppAccessToken())),
    ];
    const worlds = [selfBuilt, store, cold];
    const outputs = [
      ...errors,
      ...worlds.map(({ logged }) => logged),
      ...worlds.map(({ tokens }) => tokens.metrics()),
      ...worlds.map(({ tokens }) => tokens.performanceReport()),
      ...(await Promise.all(worlds.map(healthOf))),
    ];
    expect(errors.every(({ code }) => String(code).startsWith('ERR_FEISHU_'))).toBe(true);
    expect(worlds.every(({ logged }) => logged.length > 0)).toBe(true);
    for (const output of outputs) {
      const text = everythingOf(output);
      // A beginning of it is bad enough: messages are cut to a length.
      for (const secret of [SECRET, TICKET, appToken, token]) {
        for (const part of [secret, secret.slice(0, 12)]) {
          expect({ found: text.includes(part), text: text.includes(part) && text }).toEqual({
            found: false,
            text: false,
          });
        }
      }
    }
    for (const world of worlds) await world.close();
  });

  it('#51 a lock and a store that fail quoting what they were given give nothing away', async () => {
    class QuotingLock extends RefreshLock {
      acquire(key: string): Promise<never> {
        return Promise.reject(new Error(`${SECRET} ${key}`));
      }
    }
    const clock = new TestClock();
    const store = new FakeStore(clock);
    store.onSet = (_, record) => Promise.reject(new Error(JSON.stringify(record)));
    const world = new TokenWorld({ clock, cache: store.managed, lock: new QuotingLock() });
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(MINUTE);
    world.tokens.logPerformanceMetrics();
    const outputs = [
      world.logged,
      world.tokens.metrics(),
      world.tokens.performanceReport(),
      await healthOf(world),
    ];
    for (const output of outputs) {
      expect(everythingOf(output)).not.toContain(token);
      expect(everythingOf(output)).not.toContain(SECRET);
    }
    await world.close();
  });

  it('#51 the error of an option names the option, not what it holds', async () => {
    const wrong: readonly TokenWorldOptions[] = [
      { encryptionKeys: [{ id: 'k', key: SECRET }] },
      { appSecret: { value: SECRET } as unknown as string },
      { domain: { open: `https://user:${SECRET}@open.example.com`, accounts: 'https://a.example.com' } },
      { keyPrefix: [SECRET] as unknown as string },
    ];
    for (const options of wrong) {
      const error = await failureOf(Promise.resolve().then(() => new TokenWorld(options)));
      expect(error['code']).toBe('ERR_FEISHU_CONFIG_INVALID');
      expect(everythingOf(error)).not.toContain(SECRET);
    }
  });
});

describe('failing fast', () => {
  expectNoUnhandledRejections();

  const STEP_MS = 50;

  /** Asks 200 times a second for `ms`, and tells what came back and how many probes there were at a time. */
  async function hammer(world: TokenWorld, ms: number) {
    const asked: { at: number; failedAt: number; error: Error & { code?: string; retryAt?: Date } }[] = [];
    const until = world.clock.monotonic() + ms;
    while (world.clock.monotonic() < until) {
      const at = world.clock.monotonic();
      for (let caller = 0; caller < 10; caller++) {
        world.tokens.getTenantAccessToken().then(
          () => undefined,
          (error: Error) => asked.push({ at, failedAt: world.clock.monotonic(), error }),
        );
      }
      await world.clock.advance(STEP_MS);
    }
    await world.clock.advance(2 * SECOND); // the flight under way
    return asked;
  }

  it('#52 no token and the platform down at 200 requests a second: fails fast, one probe at a time', async () => {
    const clock = new TestClock();
    let underWay = 0;
    let most = 0;
    const starts: number[] = [];
    const fetch: typeof globalThis.fetch = async () => {
      starts.push(clock.monotonic());
      most = Math.max(most, ++underWay);
      await clock.sleep(100);
      underWay--;
      throw new TypeError('fetch failed');
    };
    const world = new TokenWorld({ clock, fetch });
    const asked = await hammer(world, 60 * SECOND);

    expect(asked).toHaveLength(60 * 200);
    expect(most).toBe(1);
    // A flight is three requests 200 and 600 ms apart; between two flights there are 0.5 s doubling to 15 s, jittered.
    const pauses = starts.slice(1).map((start, index) => start - (starts[index] ?? 0) - 100);
    const between = pauses.filter((_, index) => index % 3 === 2);
    expect(pauses.filter((_, index) => index % 3 === 0).every((pause) => pause === 200)).toBe(true);
    expect(pauses.filter((_, index) => index % 3 === 1).every((pause) => pause === 600)).toBe(true);
    expect(between.length).toBeGreaterThanOrEqual(6);
    const jitter = 0.75; // the middle of U(0.5, 1), as FixedRandom has it
    for (const [index, pause] of between.entries()) {
      const expected = jitter * Math.min(15 * SECOND, 500 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(expected);
      expect(pause).toBeLessThanOrEqual(expected + STEP_MS); // until the next caller comes along
    }
    const { kinds } = world.tokens.metrics();
    expect(kinds.tenant.refresh.attempts).toBe(starts.length);
    expect(kinds.tenant.failedFast + kinds.tenant.waits).toBe(asked.length);

    const fast = asked.filter(({ at, failedAt }) => at === failedAt);
    expect(fast).toHaveLength(kinds.tenant.failedFast);
    expect(new Set(fast.map(({ error }) => error)).size).toBe(fast.length);
    for (const { error, failedAt } of asked) {
      expect(error.code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
      const waitMs = Number(error.retryAt?.getTime()) - (clock.now() - clock.monotonic() + failedAt);
      if (!(waitMs > 0 && waitMs <= 15 * SECOND)) throw new Error(`retryAt is ${waitMs} ms from now`);
    }
    expect(world.logged).toHaveLength(1);
    expect(await healthOf(world)).toMatchObject({ status: 'down' });

    // What one caller does to its error is no concern of the next.
    const first = await failureOf(world.tokens.getTenantAccessToken());
    expect(first).not.toBe(await failureOf(world.tokens.getTenantAccessToken()));
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('#52 the platform comes back: the next probe serves everybody, and health is up', async () => {
    const world = new TokenWorld();
    world.platform.outage = { throws: new TypeError('fetch failed') };
    await hammer(world, 10 * SECOND);
    world.platform.recover();
    const { retryAt } = await failureOf(world.tokens.getTenantAccessToken());
    await world.clock.advance((retryAt as Date).getTime() - world.clock.now());
    const values = await Promise.all(Array.from({ length: 100 }, () => world.tokens.getTenantAccessToken()));
    expect(new Set(values).size).toBe(1);
    expect(await healthOf(world)).toMatchObject({ status: 'up' });
    expect(world.logged).toHaveLength(2); // that it failed, that it is well again
    await world.close();
  });

  it('#52 a wrong secret: one probe a minute, one line in the log, health down', async () => {
    const world = new TokenWorld();
    world.platform.outage = { code: 10015 };
    const asked = await hammer(world, 150 * SECOND);

    expect(new Set(asked.map(({ error }) => error.code))).toEqual(
      new Set(['ERR_FEISHU_CREDENTIALS_REJECTED']),
    );
    expect(asked.every(({ error }) => !(error as { retryable?: boolean }).retryable)).toBe(true);
    const starts = world.platform.calls.map(({ at }) => at);
    expect(starts).toHaveLength(3);
    for (const [index, start] of starts.slice(1).entries()) {
      expect(start - (starts[index] ?? 0)).toBeGreaterThanOrEqual(60 * SECOND);
      expect(start - (starts[index] ?? 0)).toBeLessThanOrEqual(60 * SECOND + STEP_MS);
    }
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatch(/^error .*ERR_FEISHU_CREDENTIALS_REJECTED/);
    expect(await healthOf(world)).toMatchObject({
      status: 'down',
      kinds: { tenant: { lastError: { code: 'ERR_FEISHU_CREDENTIALS_REJECTED' } } },
    });
    // Asking explicitly is no way round it.
    const calls = world.platform.tokenCalls;
    expect(await failureOf(world.tokens.refresh(TENANT))).toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
    });
    expect(world.platform.tokenCalls).toBe(calls);

    world.platform.recover();
    await world.clock.advance(60 * SECOND);
    await world.settle(world.tokens.getTenantAccessToken());
    expect(await healthOf(world)).toMatchObject({ status: 'up' });
    await world.close();
  });

  it('#52 a wrong secret does not take away a token that is still good', async () => {
    const world = new TokenWorld();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await world.clock.advance(RENEWAL_DUE_MS);
    world.platform.outage = { code: 10015 };
    for (let second = 0; second < 300; second++) {
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await world.clock.advance(SECOND);
    }
    expect(world.platform.tokenCalls).toBe(1 + 5);
    expect(world.logged).toHaveLength(1);
    // Not 'degraded': terminus 11 has no third state.
    expect(await healthOf(world)).toMatchObject({
      reason: expect.stringContaining("rejects the app's credentials"),
    });
    await world.close();
  });

  const limits: readonly (readonly [string, ScriptedAnswer])[] = [
    ['HTTP 429', { status: 429, body: 'too many requests' }],
    ['HTTP 400 with code 99991400', { status: 400, code: 99991400 }],
    ['HTTP 200 with code 99991400', { code: 99991400 }],
  ];
  const waits: readonly (readonly [string, Record<string, string>, number])[] = [
    ['x-ogw-ratelimit-reset', { 'x-ogw-ratelimit-reset': '37' }, 37],
    ['a reset of 0, as 1 s', { 'x-ogw-ratelimit-reset': '0' }, 1],
    ['a reset far off, as 300 s', { 'x-ogw-ratelimit-reset': '86400' }, 300],
    ['Retry-After', { 'retry-after': '42' }, 42],
    ['the reset rather than Retry-After', { 'x-ogw-ratelimit-reset': '20', 'retry-after': '200' }, 20],
    ['Retry-After when the reset is none', { 'x-ogw-ratelimit-reset': 'soon', 'retry-after': '15' }, 15],
    ['Retry-After when the reset is empty', { 'x-ogw-ratelimit-reset': '', 'retry-after': '15' }, 15],
  ];
  const table = limits.flatMap(([limit, answer]) =>
    waits.map(([what, headers, seconds]) => [limit, what, { ...answer, headers }, seconds] as const),
  );

  it.each(table)('#53 %s without a token waits for %s', async (_, __, answer, seconds) => {
    const world = new TokenWorld();
    world.platform.next(answer);
    const error = await failureOf(world.settle(world.tokens.getTenantAccessToken()));
    const startedAt = world.clock.monotonic();
    expect(error).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED', retryable: true });
    expect((error['retryAt'] as Date).getTime() - world.clock.now()).toBe(seconds * SECOND);
    expect(world.platform.tokenCalls).toBe(1); // and is not tried again within the flight

    await world.clock.advance(seconds * SECOND - 1);
    const fast = await failureOf(world.tokens.getTenantAccessToken());
    expect(fast).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED' });
    expect((fast['retryAt'] as Date).getTime()).toBe(world.clock.now() + 1);
    expect(await failureOf(world.tokens.refresh(TENANT))).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED' });
    expect(world.platform.tokenCalls).toBe(1);
    await world.clock.advance(1);
    await world.settle(world.tokens.getTenantAccessToken());
    expect(world.platform.calls.at(-1)?.at).toBe(startedAt + seconds * SECOND);
    await world.close();
  });

  it.each(table)(
    '#53 %s while a token is held serves that token and waits for %s',
    async (_, __, answer, seconds) => {
      const world = new TokenWorld();
      const token = await world.settle(world.tokens.getTenantAccessToken());
      await world.clock.advance(RENEWAL_DUE_MS);
      world.platform.next(answer);
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(2);

      for (let elapsed = 0; elapsed < seconds * SECOND; elapsed += 100) {
        expect(world.tokens.handle(TENANT).peek()).toBe(token);
        await world.clock.advance(elapsed + 100 < seconds * SECOND ? 100 : 99);
      }
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(2);
      expect(await failureOf(world.tokens.refresh(TENANT))).toMatchObject({
        code: 'ERR_FEISHU_RATE_LIMITED',
      });
      expect(world.platform.tokenCalls).toBe(2);
      await world.clock.advance(1);
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(3);
      expect(await world.tokens.getTenantAccessToken()).not.toBe(token);
      await world.close();
    },
  );

  it('#53 without a word of when, a rate limit is paced as any passing failure', async () => {
    const world = new TokenWorld();
    world.platform.next({ status: 429 });
    const error = await failureOf(world.settle(world.tokens.getTenantAccessToken()));
    expect((error['retryAt'] as Date).getTime() - world.clock.now()).toBe(0.75 * 500);
    await world.close();
  });
});
