import { RefreshLock } from '../../lib/lock/refresh-lock.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, hang } from '../fixtures/fake-store.js';
import { fleetShared } from '../fixtures/fleet.js';
import { StoreWorld } from '../fixtures/store-world.js';
import { type TokenWorldOptions } from '../fixtures/token-world.js';

const MINUTE = 60_000;
const ACKNOWLEDGED_WITHIN_MS = 3_000;

class HangingLock extends RefreshLock {
  acquire(): Promise<never> {
    return new Promise(() => undefined);
  }
}

describe('events of a store app', () => {
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

  it.each([
    ['app_ticket', { app_ticket: 'ticket-1' }],
    ['app_uninstalled', {}],
    ['app_open', {}],
  ])('%s is acknowledged in time with a hung lock and a hung store', async (type, event) => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const world = start({ clock, cache: store.bare, lock: new HangingLock() });
    store.break(hang);
    const before = clock.monotonic();
    expect(await world.deliver({ type, tenantKey: 'a', event })).toBe(200);
    expect(clock.monotonic() - before).toBeLessThan(ACKNOWLEDGED_WITHIN_MS);
    expect(world.engine.eventMetrics.snapshot()).toMatchObject({ accepted: 1, unguarded: 2 });
    expect(world.logged.filter((line) => line.includes('the lock does not answer'))).toHaveLength(1);
    // By itself it still knows what it has had.
    expect(world.engine.tickets.hasTicket()).toBe(type === 'app_ticket');
  });

  it('a flood of forged deliveries is logged once a minute for each reason', async () => {
    const world = start();
    for (let i = 0; i < 50; i++) {
      await world.events.receive({}, JSON.stringify({ encrypt: 'AAAA', i }));
      await world.events.receive({}, 'not even JSON');
    }
    const lines = (): string[] => world.logged.filter((line) => line.includes('event refused'));
    expect(lines()).toHaveLength(1);
    await world.clock.advance(MINUTE);
    await world.events.receive({}, 'again');
    expect(lines()[1]).toContain('(and 99 more like it)');
    expect(world.engine.eventMetrics.snapshot()).toMatchObject({ received: 101, rejected: 101 });
  });

  describe('the ticket', () => {
    it('is requested at bootstrap once for the fleet if none is stored, and not if one is stored', async () => {
      const shared = fleetShared();
      const resends = (): number => shared.platform.callsTo('resend');
      const [a, b] = [start(shared), start(shared)];
      await Promise.all([a.prewarmer.onApplicationBootstrap(), b.prewarmer.onApplicationBootstrap()]);
      await shared.clock.advance(1_000);
      expect(resends()).toBe(1);
      await a.ticket();
      const c = start(shared);
      await c.prewarmer.onApplicationBootstrap();
      await shared.clock.advance(1_000);
      expect(resends()).toBe(1);
      expect(c.tokens.handle({ kind: 'app' }).peek()).toBeDefined();
    });

    it('is requested again when Feishu refuses it, and waiting callers get a token after it arrives', async () => {
      const shared = fleetShared();
      const [a, b] = [start(shared), start(shared)];
      await a.ticket('superseded');
      shared.platform.ticket = 'ticket-2';
      const reads = [a, b].map((world) => world.tokens.getTenantAccessToken({ tenantKey: 't' }));
      await shared.clock.advance(1_000);
      expect(shared.platform.callsTo('resend')).toBe(1);
      await b.ticket('ticket-2');
      await shared.clock.advance(1_100);
      expect(await Promise.all(reads)).toEqual([expect.stringMatching(/^t-/), expect.stringMatching(/^t-/)]);
      expect(shared.platform.callsTo('resend')).toBe(1);
    });

    it('is requested again after a minute, not sooner', async () => {
      const shared = fleetShared();
      const world = start(shared);
      const at = (): number[] =>
        shared.platform.calls.filter(({ path }) => path.endsWith('resend')).map((call) => call.at);
      for (let i = 0; i < 60; i++) {
        const outcome = world.tokens.getTenantAccessToken({ tenantKey: 't' }).catch(() => undefined);
        await shared.clock.advance(5_000);
        void outcome;
      }
      const calls = at();
      expect(calls.length).toBeGreaterThan(2);
      const pauses = calls.slice(1).map((call, index) => call - (calls[index] ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(MINUTE);
    });
  });

  it('the close leaves no timer', async () => {
    const clock = new TestClock();
    const world = new StoreWorld({ clock });
    await world.prewarmer.onApplicationBootstrap();
    await world.ticket();
    await world.read('a');
    await world.deliver({ type: 'im.message.receive_v1', tenantKey: 'a' });
    world.prewarmer.onModuleDestroy();
    await world.settle(world.events.onModuleDestroy());
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
