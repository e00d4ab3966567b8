import { TestClock } from '../../lib/testing/test-clock.js';
import { FeishuHttpService } from '../../lib/http/feishu-http.service.js';
import { type UserEngine } from '../../lib/users/user-engine.js';
import { FaultyUserStore } from '../fixtures/login-fleet.js';
import { ScriptedOAuth } from '../fixtures/scripted-oauth.js';
import { TokenWorld } from '../fixtures/token-world.js';

const USER = 'ou_ada';

/** Processes of the module that share a store of logins. */
function newWorlds(count = 1) {
  const clock = new TestClock();
  const feishu = new ScriptedOAuth(clock);
  const store = new FaultyUserStore();
  const worlds = Array.from(
    { length: count },
    () => new TokenWorld({ clock, fetch: feishu.fetch, users: { store } }),
  );
  const [world] = worlds as [TokenWorld];
  const { logins } = world.engine.users as UserEngine;
  const logIn = (): Promise<void> => logins.begin({ openId: USER, scopes: [] }, feishu.authorize(USER));
  return { clock, feishu, store, worlds, world, logins, logIn };
}

describe('a user token', () => {
  it('is read from the store once, and then from memory', async () => {
    const { world, store, logIn } = newWorlds();
    await logIn();
    store.operations.length = 0;
    for (let i = 0; i < 10; i++) expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-1');
    const handle = world.tokens.handle({ kind: 'user', openId: USER });
    expect(handle.peek()).toBe('u-access-1');
    expect(await handle.get()).toBe('u-access-1');
    expect(await world.tokens.getToken({ kind: 'user', openId: USER })).toMatchObject({
      kind: 'user',
      value: 'u-access-1',
      source: 'memory',
    });
    expect(store.operations).toEqual(['get']);
    expect(world.tokens.metrics().kinds.user).toMatchObject({
      requests: 13,
      hits: 12,
      waits: 1,
      storeHits: 1,
      tokens: 1,
    });
  });

  it('is rotated ahead of its end, while callers are served', async () => {
    const { clock, feishu, world, logIn } = newWorlds();
    await logIn();
    await world.tokens.getUserAccessToken(USER);
    await clock.advance(7_200_000 - 22 * 60_000);
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-1');
    await TestClock.settle();
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-2');
    expect(feishu.exchanges).toHaveLength(1);
    expect(world.tokens.metrics().kinds.user.refresh).toMatchObject({ attempts: 1, success: 1 });
  });

  it('#48 is rotated once by many processes, by explicit refreshes too', async () => {
    const { clock, feishu, worlds, logIn } = newWorlds(20);
    await logIn();
    await Promise.all(worlds.map(({ tokens }) => tokens.getUserAccessToken(USER)));
    feishu.latencyMs = 300;
    const refreshed = Promise.all(worlds.map(({ tokens }) => tokens.refresh({ kind: 'user', openId: USER })));
    await clock.advance(5_000);
    expect(new Set((await refreshed).map(({ value }) => value))).toEqual(new Set(['u-access-2']));
    expect(feishu.exchanges).toHaveLength(1);
  });

  it('that an API rejected is rotated once', async () => {
    const { feishu, world, logIn } = newWorlds();
    await logIn();
    const rejected = await world.tokens.getUserAccessToken(USER);
    const query = { kind: 'user', openId: USER } as const;
    const results = await Promise.all([1, 2, 3].map(() => world.tokens.invalidate(query, rejected)));
    expect(results).toEqual([true, false, false]);
    expect(await world.settle(world.tokens.getUserAccessToken(USER))).toBe('u-access-2');
    expect(feishu.exchanges).toHaveLength(1);
  });

  it.each([99991668, 99991677, 20005, 20006])(
    'an API call that fails with %i is replayed once',
    async (code) => {
      const { feishu, world, logIn, clock } = newWorlds();
      await logIn();
      const bearers: (string | null)[] = [];
      const http = new FeishuHttpService({
        tokens: world.tokens,
        openOrigin: 'https://open.feishu.cn',
        clock,
        fetch: async (_url, init) => {
          const bearer = new Headers(init?.headers).get('authorization');
          bearers.push(bearer);
          return Response.json({ code: bearer === 'Bearer u-access-1' ? code : 0 }, { status: 400 });
        },
      });
      const response = await world.settle(http.fetch('/open-apis/x', { as: { kind: 'user', openId: USER } }));
      expect(await response.json()).toEqual({ code: 0 });
      expect(bearers).toEqual(['Bearer u-access-1', 'Bearer u-access-2']);
      expect(feishu.exchanges).toHaveLength(1);
    },
  );

  it('of a user who has not logged in is refused, and given at the first read after the login', async () => {
    const { world, logIn } = newWorlds();
    for (let i = 0; i < 3; i++) {
      await expect(world.tokens.getUserAccessToken(USER)).rejects.toMatchObject({
        code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
        reason: 'absent',
      });
    }
    await logIn();
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-1');
  });

  it('is not given after the logout, not even from memory', async () => {
    const { world, logIn, logins } = newWorlds();
    await logIn();
    const handle = world.tokens.handle({ kind: 'user', openId: USER });
    expect(await handle.get()).toBe('u-access-1');
    await logins.logout(USER);
    expect(handle.peek()).toBeUndefined();
    await expect(handle.get()).rejects.toMatchObject({ reason: 'logged-out' });
  });

  it('is that of the new login after the user logged in again', async () => {
    const { world, logIn } = newWorlds();
    await logIn();
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-1');
    await logIn();
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-2');
  });

  it('#61 is served while the store is down', async () => {
    const { world, clock, store, logIn } = newWorlds();
    await logIn();
    await world.tokens.getUserAccessToken(USER);
    store.down();
    await clock.advance(7_200_000 - 60_000);
    expect(await world.tokens.getUserAccessToken(USER)).toBe('u-access-1');
    await clock.advance(55_000);
    await expect(world.settle(world.tokens.getUserAccessToken(USER))).rejects.toMatchObject({
      code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      retryable: true,
    });
  });

  it('is a configuration error without the option users', async () => {
    const world = new TokenWorld();
    await expect(world.tokens.getUserAccessToken(USER)).rejects.toMatchObject({
      code: 'ERR_FEISHU_CONFIG_INVALID',
    });
  });

  it.each(['', 'a b', 'x'.repeat(129)])('%j is not an open_id', async (openId) => {
    const { world } = newWorlds();
    await expect(world.tokens.getUserAccessToken(openId)).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
    });
  });
});
