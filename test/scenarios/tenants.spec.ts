import { jest } from '@jest/globals';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, hang } from '../fixtures/fake-store.js';
import { fleetShared } from '../fixtures/fleet.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { StoreWorld } from '../fixtures/store-world.js';
import { type TokenWorldOptions } from '../fixtures/token-world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REJECTED = { code: 'ERR_FEISHU_TENANT_REJECTED' };
const TENANT_GRANT = 'tenant_access_token';

const uninstalled = (tenantKey: string) => ({ type: 'app_uninstalled', tenantKey });
const stopped = (tenantKey: string, by = 'tenant') => ({
  type: 'app_status_change',
  tenantKey,
  event: { status: `stop_by_${by}` },
});
const started = (tenantKey: string) => ({
  type: 'app_status_change',
  tenantKey,
  event: { status: 'start_by_tenant' },
});
const opened = (tenantKey: string) => ({ type: 'app_open', tenantKey });

describe("a store app's tenants", () => {
  let worlds: StoreWorld[];
  beforeEach(() => {
    worlds = [];
  });
  afterEach(async () => {
    for (const world of worlds) {
      world.prewarmer.onModuleDestroy();
      await world.close();
    }
  });

  function start(options: TokenWorldOptions = {}): StoreWorld {
    const world = new StoreWorld(options);
    worlds.push(world);
    return world;
  }

  /** One with its ticket, on a store that the test looks into. */
  async function startOnStore(): Promise<{ clock: TestClock; store: FakeStore; world: StoreWorld }> {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare, platform: new ScriptedPlatform(clock) });
    await world.ticket();
    return { clock, store, world };
  }

  describe.each([
    ['uninstalls', uninstalled],
    ['stops', stopped],
    ['is stopped by the platform', (tenant: string) => stopped(tenant, 'platform')],
  ])('one that %s', (_name, leave) => {
    it('loses its tokens, here and in the store, and is refused until it is enabled', async () => {
      const clock = new TestClock();
      const store = new FakeStore(clock);
      const world = start({ clock, cache: store.bare });
      await world.ticket();
      const token = await world.read('a');
      await world.read('b');
      expect(store.dump()).toContain(token);
      const handle = world.tokens.handle({ kind: 'tenant', tenantKey: 'a' });
      expect(handle.peek()).toBe(token);

      await clock.advance(1_000);
      expect(await world.deliver(leave('a'))).toBe(200);
      expect(store.dump()).not.toContain(token);
      expect(handle.peek()).toBeUndefined();
      const calls = world.platform.callsTo(TENANT_GRANT);
      for (let i = 0; i < 3; i++) {
        await expect(world.read('a')).rejects.toMatchObject(REJECTED);
        await expect(world.settle(handle.get())).rejects.toMatchObject(REJECTED);
        await expect(
          world.settle(world.tokens.refresh({ kind: 'tenant', tenantKey: 'a' })),
        ).rejects.toMatchObject(REJECTED);
        await clock.advance(2 * MINUTE);
      }
      expect(world.platform.callsTo(TENANT_GRANT)).toBe(calls);
      expect(await world.read('b')).toMatch(/^t-/);

      expect(await world.deliver(started('a'))).toBe(200);
      expect(await world.read('a')).toMatch(/^t-/);
      expect(await world.settle(handle.get())).toMatch(/^t-/);
    });

    it('loses them in other processes too: at their next sweep, or their next renewal', async () => {
      const shared = fleetShared();
      const [a, b, c] = [start(shared), start(shared), start(shared)];
      await a.ticket();
      for (const world of [a, b, c]) await world.read('t');
      await a.settle(b.prewarmer.sweep());
      await shared.clock.advance(1_000);
      await a.deliver(leave('t'));
      await a.settle(a.prewarmer.sweep());
      await b.settle(b.prewarmer.sweep());
      await expect(b.read('t')).rejects.toMatchObject(REJECTED);
      // c never sweeps; its token lives on until a renewal is due, and that one learns it.
      expect(await c.read('t')).toMatch(/^t-/);
      await shared.clock.advance(2 * HOUR);
      await expect(c.read('t')).rejects.toMatchObject(REJECTED);

      await a.deliver(started('t'));
      await shared.clock.advance(2 * MINUTE);
      for (const world of [a, b, c]) expect(await world.read('t')).toMatch(/^t-/);
    });
  });

  it('a flight that is under way when it stops ends in the rejection, and stores nothing', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare });
    await world.ticket();
    await world.settle(world.tokens.getAppAccessToken());
    world.platform.latencyMs = 500;
    const reading = world.tokens.getTenantAccessToken({ tenantKey: 'a' });
    const outcome = reading.catch((error: unknown) => error);
    await clock.advance(100);
    await world.deliver(stopped('a'));
    await clock.advance(2_000);
    expect(await outcome).toMatchObject(REJECTED);
    expect(store.dump()).not.toContain('t-tenant.a');
    expect(world.engine.slots.find('tenant', 'a')?.kept).toBeUndefined();
  });

  it('counts the later event, however late the earlier one comes, in any process', async () => {
    const shared = fleetShared();
    const [a, b] = [start(shared), start(shared)];
    await a.ticket();
    const now = shared.clock.now();
    await a.deliver(started('t'), now);
    await b.deliver(stopped('t'), now - HOUR);
    expect(await b.read('t')).toMatch(/^t-/);
    await a.deliver(stopped('t'), now + 1);
    await b.deliver(opened('t'), now - MINUTE);
    await shared.clock.advance(2 * MINUTE);
    await expect(a.read('t')).rejects.toMatchObject(REJECTED);
    await expect(b.read('t')).rejects.toMatchObject(REJECTED);
  });

  it('is refused even while the store is out', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare });
    await world.ticket();
    await world.read('a');
    store.break(hang);
    expect(await world.deliver(stopped('a'))).toBe(200);
    await expect(world.read('a')).rejects.toMatchObject(REJECTED);
  });

  it('keeps its token while the ticket is missing', async () => {
    const shared = fleetShared();
    const world = start(shared);
    await world.ticket();
    const token = await world.read('a');
    shared.platform.ticket = 'another';
    await shared.clock.advance(30 * MINUTE);
    expect(await world.read('a')).toBe(token);
    // A process that starts without a ticket adopts it.
    expect(await start({ ...shared }).read('a')).toBe(token);
  });

  it('does not mind what is no tenant key', async () => {
    const world = start();
    expect(await world.deliver(stopped('../../etc'))).toBe(200);
    expect(await world.deliver({ type: 'app_status_change', tenantKey: 'a', event: {} })).toBe(200);
    await world.ticket();
    expect(await world.read('a')).toMatch(/^t-/);
  });

  describe('pre-warming', () => {
    it('knows a tenant from its event on', async () => {
      const world = start();
      await world.ticket();
      await world.deliver(opened('new'));
      await world.settle(world.prewarmer.sweep());
      const calls = world.platform.callsTo(TENANT_GRANT);
      expect(world.tokens.handle({ kind: 'tenant', tenantKey: 'new' }).peek()).toMatch(/^t-/);
      expect(world.platform.callsTo(TENANT_GRANT)).toBe(calls);
    });

    it('knows after a restart who was in use, and asks the platform for nothing', async () => {
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

    it('forgets the idle, and does not count its own warming as use', async () => {
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

    it('keeps warm what another process reads', async () => {
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

    it('heals an update that was lost, at the next sweep', async () => {
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

    it('does not remember a tenant key that somebody made up', async () => {
      const world = start();
      await world.ticket();
      await world.settle(world.tokens.getAppAccessToken());
      world.platform.outage = { code: 99991665 };
      await expect(world.read('made-up')).rejects.toMatchObject(REJECTED);
      world.platform.recover();
      await world.settle(world.prewarmer.sweep());
      expect(world.engine.tenantRegistry.inUse()).toEqual([]);
    });

    it('writes its record when there is news, not at every sweep', async () => {
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

    it('looks into a record that stays the same every few minutes, and at once when there is a new tenant', async () => {
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

    it('writes down what came up while its record was being written, at the next sweep', async () => {
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

    it('tries again to write what the store did not take', async () => {
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

    it('does not write by turns with another process when there are more tenants than the record has room for', async () => {
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

    it('#47 leaves what a later version of the module wrote of tenants and tickets alone', async () => {
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

      // And does not remember its own tenants for ever because of it.
      await clock.advance(3 * HOUR);
      await world.settle(world.prewarmer.sweep());
      expect(world.engine.tenantRegistry.inUse()).toEqual([]);
    });

    it('warms the tenant first that was in use last', async () => {
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
  });

  /** Under which key the tenants are: found by what is read at a sweep. */
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
