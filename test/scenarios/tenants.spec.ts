import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, hang } from '../fixtures/fake-store.js';
import { fleetShared } from '../fixtures/fleet.js';
import { opened, started, startingStoreApps, stopped, uninstalled } from '../fixtures/store-worlds.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REJECTED = { code: 'ERR_FEISHU_TENANT_REJECTED' };
const TENANT_GRANT = 'tenant_access_token';

describe('the tenants of a store app', () => {
  const start = startingStoreApps();

  describe.each([
    ['uninstalls', uninstalled],
    ['stops', stopped],
    ['is stopped by the platform', (tenant: string) => stopped(tenant, 'platform')],
  ])('a tenant that %s', (_name, leave) => {
    it('loses its tokens here and in the store, and is refused until it enables the app', async () => {
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

    it('loses its tokens in other processes at their next sweep or renewal', async () => {
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

  it('a flight under way when the tenant stops rejects its callers and stores nothing', async () => {
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

  it('the event with the later time wins in every process, also if it arrives first', async () => {
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

  it('a stopped tenant is refused while the store does not answer', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare });
    await world.ticket();
    await world.read('a');
    store.break(hang);
    expect(await world.deliver(stopped('a'))).toBe(200);
    await expect(world.read('a')).rejects.toMatchObject(REJECTED);
  });

  it('a tenant keeps its token while the app_ticket is missing', async () => {
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

  it('an event with an invalid tenant key changes nothing', async () => {
    const world = start();
    expect(await world.deliver(stopped('../../etc'))).toBe(200);
    expect(await world.deliver({ type: 'app_status_change', tenantKey: 'a', event: {} })).toBe(200);
    await world.ticket();
    expect(await world.read('a')).toMatch(/^t-/);
  });
});
