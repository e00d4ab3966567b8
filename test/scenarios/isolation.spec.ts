import { type AppType } from '../../lib/platform/app-type.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore } from '../fixtures/fake-store.js';
import { rejectionOf } from '../fixtures/observation.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const SECRET = 'the-secret-of-the-app';
const TICKET = 'the-app-ticket-of-the-test';

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

  it('#49 on one store, instances that differ in domain, app, secret, prefix, kind or tenant share no token', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    let serial = 0;
    // Every grant returns a different token, so that two are never the same by chance.
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
    // Each key has the same parts: host, app, fingerprint, kind, and the tenant if there is one.
    for (const key of store.keys) expect(key).toMatch(/^[\w%.-]+:v1:\{[\w%.-]+(:[\w%.-]+){3,4}\}$/);
    for (const world of worlds) await world.close();

    async function readApp(world: TokenWorld, appType: AppType): Promise<string> {
      if (appType === 'store') await world.engine.tickets.set(TICKET);
      return world.settle(world.tokens.getAppAccessToken());
    }
  });

  it('#49 two instances with the same configuration share a token', async () => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    const cache = new FakeStore(clock).managed;
    const [a, b] = [new TokenWorld({ clock, platform, cache }), new TokenWorld({ clock, platform, cache })];
    const token = await a.settle(a.tokens.getTenantAccessToken());
    expect(await b.settle(b.tokens.getToken(TENANT))).toMatchObject({ value: token, source: 'store' });
    await a.close();
    await b.close();
  });

  it('#49 after a new app secret no old record is used, and no key shows the secret', async () => {
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
      const asked = rejectionOf(world.tokens.getTenantAccessToken({ tenantKey }));
      expect(await asked).toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
      expect(world.platform.calls).toEqual([]);
    },
  );
});
