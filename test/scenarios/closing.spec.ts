import { RefreshLock } from '../../lib/lock/refresh-lock.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, hang } from '../fixtures/fake-store.js';
import { watch, rejectionOf } from '../fixtures/observation.js';
import { RENEWAL_DUE_MS } from '../fixtures/store-fleet.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const CLOSE_GRACE_MS = 1_000;
const TICKET = 'the-app-ticket-of-the-test';

describe('closing', () => {
  expectNoUnhandledRejections();

  it('#50 a close during a hung refresh waits for the grace period, then every waiter gets ERR_FEISHU_CLOSED', async () => {
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
    expect(world.logged).toEqual([]); // a close is not a failure
  });

  it('#50 a close during a refresh waits for it, and stores its token', async () => {
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

  it('#50 a close during a hung background renewal still serves the held token', async () => {
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
    expect(await rejectionOf(world.tokens.getTenantAccessToken())).toMatchObject({
      code: 'ERR_FEISHU_CLOSED',
    });
    expect(await world.tokens.invalidate(TENANT, token)).toBe(false);
    expect(await rejectionOf(world.tokens.refresh(TENANT))).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('#50 a cold read between the two steps of the close starts no flight and fails at once', async () => {
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

  it('#50 a close leaves no timer, with any part hanging', async () => {
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

  it('#50 a close rejects callers that wait for a ticket at once', async () => {
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
