import { jest } from '@jest/globals';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore } from '../fixtures/fake-store.js';
import { fleetShared } from '../fixtures/fleet.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { type StoreWorld } from '../fixtures/store-world.js';
import { opened, startingStoreApps, stopped, uninstalled } from '../fixtures/store-worlds.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REJECTED = { code: 'ERR_FEISHU_TENANT_REJECTED' };
const TENANT_GRANT = 'tenant_access_token';

describe('pre-warming the tenants of a store app', () => {
  const start = startingStoreApps();

  /** A store app with its ticket, on a store that the test inspects. */
  async function startOnStore(): Promise<{ clock: TestClock; store: FakeStore; world: StoreWorld }> {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare, platform: new ScriptedPlatform(clock) });
    await world.ticket();
    return { clock, store, world };
  }

  it('a tenant is pre-warmed after its event', async () => {
    const world = start();
    await world.ticket();
    await world.deliver(opened('new'));
    await world.settle(world.prewarmer.sweep());
    const calls = world.platform.callsTo(TENANT_GRANT);
    expect(world.tokens.handle({ kind: 'tenant', tenantKey: 'new' }).peek()).toMatch(/^t-/);
    expect(world.platform.callsTo(TENANT_GRANT)).toBe(calls);
  });

  it('after a restart the tenants in use get their tokens from the store, without a request to Feishu', async () => {
    const shared = fleetShared();
    const before = start(shared);
    await before.ticket();
    for (const tenant of ['a', 'b', 'c']) await before.read(tenant);
    await before.settle(before.prewarmer.sweep());
    const calls = shared.platform.calls.length;

    const after = start(shared);
    await after.prewarmer.onApplicationBootstrap();
    await shared.clock.advance(1_000);
    for (const tenantKey of ['a', 'b', 'c']) {
      expect(after.tokens.handle({ kind: 'tenant', tenantKey }).peek()).toMatch(/^t-/);
    }
    expect(shared.platform.calls).toHaveLength(calls);
  });

  it('idle tenants are forgotten: pre-warming does not count as use', async () => {
    const shared = fleetShared();
    const world = start(shared);
    await world.ticket();
    await world.read('idle');
    await world.read('busy');
    await world.settle(world.prewarmer.sweep());
    for (let minutes = 0; minutes < 200; minutes += 10) {
      await world.read('busy');
      await shared.clock.advance(10 * MINUTE);
      await world.settle(world.prewarmer.sweep());
    }
    expect(world.engine.slots.find('tenant', 'idle')).toBeUndefined();
    expect(world.engine.tenantRegistry.inUse()).toEqual(['busy']);
    const after = start(shared);
    await after.settle(after.prewarmer.sweep());
    expect(after.engine.tenantRegistry.inUse()).toEqual(['busy']);
  });

  it('a tenant that another process reads is kept warm', async () => {
    const shared = fleetShared();
    const [reads, warms] = [start(shared), start(shared)];
    await reads.ticket();
    for (let minutes = 0; minutes < 300; minutes += 10) {
      await reads.read('a');
      await shared.clock.advance(10 * MINUTE);
      await reads.settle(reads.prewarmer.sweep());
      await warms.settle(warms.prewarmer.sweep());
    }
    expect(warms.tokens.handle({ kind: 'tenant', tenantKey: 'a' }).peek()).toMatch(/^t-/);
    expect(warms.tokens.metrics().kinds.tenant.waits).toBe(0);
  });

  it('a lost update of the registry is written again by the next sweep', async () => {
    const shared = fleetShared();
    const [a, b] = [start(shared), start(shared)];
    await a.ticket();
    await a.read('of-a');
    await b.read('of-b');
    // Both read before either writes: one of the two is lost.
    await a.settle(Promise.all([a.prewarmer.sweep(), b.prewarmer.sweep()]));
    await a.settle(a.prewarmer.sweep());
    await b.settle(b.prewarmer.sweep());
    await a.settle(a.prewarmer.sweep());
    const fresh = start(shared);
    await fresh.settle(fresh.prewarmer.sweep());
    expect(fresh.engine.tenantRegistry.inUse().toSorted()).toEqual(['of-a', 'of-b']);
  });

  it('an invented tenant key does not enter the registry', async () => {
    const world = start();
    await world.ticket();
    await world.settle(world.tokens.getAppAccessToken());
    world.platform.outage = { code: 99991665 };
    await expect(world.read('made-up')).rejects.toMatchObject(REJECTED);
    world.platform.recover();
    await world.settle(world.prewarmer.sweep());
    expect(world.engine.tenantRegistry.inUse()).toEqual([]);
  });

  it('the registry is written when there is news, not at every sweep', async () => {
    const { clock, store, world } = await startOnStore();
    await world.read('a');
    await world.settle(world.prewarmer.sweep());
    const writes = store.writes;
    for (let i = 0; i < 10; i++) {
      await world.read('a');
      await clock.advance(30_000);
      await world.settle(world.prewarmer.sweep());
    }
    expect(store.writes).toBe(writes);
  });

  it('an unchanged registry is parsed every few minutes, and at once when a tenant is new', async () => {
    const shared = fleetShared();
    const [world, other] = [start(shared), start(shared)];
    await world.ticket();
    await world.read('a');
    await world.settle(world.prewarmer.sweep());
    const parse = jest.spyOn(JSON, 'parse');
    const looks = (): number => parse.mock.calls.filter(([text]) => text.startsWith('{"used"')).length;
    for (let i = 0; i < 9; i++) {
      await world.read('a');
      await shared.clock.advance(30_000);
      await world.settle(world.prewarmer.sweep());
    }
    expect(looks()).toBe(0);
    await shared.clock.advance(30_000);
    await world.settle(world.prewarmer.sweep());
    expect(looks()).toBe(1);
    await world.read('new');
    await world.settle(world.prewarmer.sweep());
    expect(looks()).toBe(2);
    parse.mockRestore();
    await other.settle(other.prewarmer.sweep());
    expect(other.engine.tenantRegistry.inUse().toSorted()).toEqual(['a', 'new']);
  });

  it('news that arrive during a write of the registry are written by the next sweep', async () => {
    const { store, world } = await startOnStore();
    await world.read('a');
    store.onSet = (key, value) => {
      if (key.endsWith(':tenants}')) world.engine.tenantRegistry.touch('b');
      store.put(key, value);
    };
    await world.settle(world.prewarmer.sweep());
    store.onSet = undefined;
    await world.settle(world.prewarmer.sweep());
    expect(store.dump()).toMatch(/used[^}]*b/);
  });

  it('a registry that the store did not accept is written again', async () => {
    const { store, world } = await startOnStore();
    await world.read('a');
    await world.settle(world.prewarmer.sweep());
    await world.read('b');
    store.onSet = () => Promise.reject(new Error('OOM'));
    await world.settle(world.prewarmer.sweep());
    store.onSet = undefined;
    await world.settle(world.prewarmer.sweep());
    expect(store.dump()).toMatch(/used[^}]*b/);
  });

  it('two processes do not write in turns when the registry is full', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const platform = new ScriptedPlatform(clock);
    const [one, other] = [1, 2].map(() => start({ clock, cache: store.bare, platform, maxTokens: 4 }));
    await one?.ticket();
    const sweepAll = async (): Promise<void> => {
      for (const [world, tenants] of [
        [one, ['a', 'b', 'c']],
        [other, ['d', 'e', 'f']],
      ] as const) {
        for (const tenant of tenants) await world?.read(tenant);
        await world?.settle(world.prewarmer.sweep());
        await clock.advance(1_000);
      }
    };
    for (let sweep = 0; sweep < 3; sweep++) await sweepAll();
    const isRoll = ({ op, key }: { op: string; key: string }): boolean =>
      op === 'set' && key.endsWith(':tenants}');
    const writes = store.operations.filter(isRoll).length;
    for (let sweep = 0; sweep < 5; sweep++) await sweepAll();
    expect(store.operations.filter(isRoll)).toHaveLength(writes);
  });

  it('#47 registry, statuses and ticket that a later version wrote are not overwritten', async () => {
    const { clock, store, world } = await startOnStore();
    await world.read('a');
    await world.settle(world.prewarmer.sweep());
    await world.deliver(stopped('b'));
    const keys = store.keys.filter((key) => /:(app_ticket|tenants|tenant_status:b|tenant:a)\}$/.test(key));
    expect(keys).toHaveLength(4);
    for (const key of keys) store.put(key, { version: 2, of: key });

    await world.settle(world.engine.tickets.set('ticket-2'));
    await world.read('c');
    await world.settle(world.prewarmer.sweep());
    await clock.advance(1_000);
    await world.deliver(stopped('b'));
    await world.deliver(uninstalled('a'));
    for (const key of keys) expect(store.value(key)).toEqual({ version: 2, of: key });

    // It still forgets its idle tenants.
    await clock.advance(3 * HOUR);
    await world.settle(world.prewarmer.sweep());
    expect(world.engine.tenantRegistry.inUse()).toEqual([]);
  });

  it('the last used tenant is warmed first', async () => {
    const shared = fleetShared();
    const before = start(shared);
    await before.ticket();
    for (const tenant of ['first', 'second', 'third']) {
      await before.read(tenant);
      await shared.clock.advance(MINUTE);
    }
    await before.settle(before.prewarmer.sweep());
    await shared.clock.advance(2 * HOUR);
    const after = start({ ...shared, prewarm: { concurrency: 1, idleAfterMs: 3 * HOUR } });
    const calls = shared.platform.calls.length;
    await after.settle(after.prewarmer.sweep());
    const asked = shared.platform.calls.slice(calls).map(({ body }) => body['tenant_key']);
    expect(asked.filter((it) => it !== undefined)).toEqual(['third', 'second', 'first']);
  });

  it.each([['no JSON'], ['null'], ['{"used":{"a":"soon","../b":5},"stopped":[]}'], ['5']])(
    'makes nothing of a record that is %s',
    async (secret) => {
      const shared = fleetShared();
      const world = start(shared);
      const key = [...(await keysOf(world))][0] ?? '';
      await shared.cache.set(key, { version: 1, key, obtainedAt: 1, secret });
      await world.settle(world.prewarmer.sweep());
      expect(world.engine.tenantRegistry.inUse()).toEqual([]);
    },
  );

  /** The key of the registry: found among the keys that a sweep reads. */
  async function keysOf(world: StoreWorld): Promise<Set<string>> {
    const keys = new Set<string>();
    const { cache } = world.engine.options;
    const get = cache?.get.bind(cache);
    if (cache && get) {
      cache.get = (key: string) => {
        keys.add(key);
        return get(key);
      };
    }
    await world.settle(world.prewarmer.sweep());
    return new Set([...keys].filter((key) => key.endsWith(':tenants}')));
  }
});
