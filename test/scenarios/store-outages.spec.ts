import { TestClock } from '../../lib/testing/test-clock.js';
import { fail, FakeStore, hang, STORE_FORMS } from '../fixtures/fake-store.js';
import { SECOND, MINUTE } from '../fixtures/renewal.js';
import {
  fleetOn,
  HUNG_STORE_COST_MS,
  RENEWAL_DUE_MS,
  STORE_DEADLINE_MS,
  storedSecret,
  timed,
} from '../fixtures/store-fleet.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe.each(STORE_FORMS)('%s', (_, form) => {
  expectNoUnhandledRejections();

  it('#36 a store that hangs costs a cold read one store deadline, and a warm read nothing', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.break(hang);
    platform.latencyMs = 100;
    const world = process();

    const cold = await timed(world, world.tokens.getTenantAccessToken());
    expect(cold.tookMs).toBe(STORE_DEADLINE_MS + 100);
    const operations = store.operations.length;
    const warm = await timed(world, world.tokens.getTenantAccessToken());
    expect(warm).toEqual({ result: cold.result, tookMs: 0 });
    expect(world.tokens.handle(TENANT).peek()).toBe(cold.result);
    expect(store.operations).toHaveLength(operations);

    // Nor does a caller notice the renewal, or an API that rejects the token.
    await clock.advance(RENEWAL_DUE_MS);
    expect((await timed(world, world.tokens.getTenantAccessToken())).tookMs).toBe(0);
    await clock.advance(10 * SECOND);
    const renewed = await world.tokens.getTenantAccessToken();
    expect(renewed).not.toBe(cold.result);
    platform.revoke(renewed);
    const recovery = world.tokens.invalidate(TENANT, renewed).then(() => world.tokens.getTenantAccessToken());
    expect((await timed(world, recovery)).tookMs).toBeLessThanOrEqual(HUNG_STORE_COST_MS + 100);
    await world.close();
  });

  it('#36 a refresh right after a cold read does not wait for the hung store again', async () => {
    const { store, platform, process } = fleetOn(form);
    store.break(hang);
    platform.latencyMs = 100;
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    const { tookMs } = await timed(world, world.tokens.refresh(TENANT));
    expect(tookMs).toBeLessThanOrEqual(HUNG_STORE_COST_MS + 100);
    await world.close();
  });

  it("#36 a store app's cold tenant read, which needs a ticket and two tokens, waits at most 0.6 s for a hung store", async () => {
    const { store, platform, process } = fleetOn(form, { appType: 'store' });
    const world = process();
    await world.engine.tickets.set('ticket-1');
    store.break(hang);
    platform.latencyMs = 100;
    const { tookMs } = await timed(world, world.tokens.getTenantAccessToken({ tenantKey: 'tenant-a' }));
    expect(tookMs).toBeLessThanOrEqual(HUNG_STORE_COST_MS + 2 * 100);
    await world.close();
  });

  it('#36 the breaker of a hung store opens, probes every 5 s with one operation, and closes when the store answers', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.break(hang);
    platform.outage = { status: 503 }; // every cold read looks into the store first
    const world = process();
    const read = async (): Promise<void> => {
      await expect(world.settle(world.tokens.getTenantAccessToken())).rejects.toMatchObject({
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      });
      await clock.advance(15 * SECOND); // past any cool-down of the platform's failure
    };
    for (let i = 0; i < 3; i++) {
      expect(world.tokens.metrics().store.breaker).toBe('closed');
      await read();
    }
    expect(world.tokens.metrics().store).toMatchObject({ reads: 3, timeouts: 3, breaker: 'half-open' });

    // Two keys at once: one of them is the probe, the other does without.
    const probes = Promise.allSettled([
      world.tokens.getTenantAccessToken(),
      world.tokens.getAppAccessToken(),
    ]);
    await TestClock.settle();
    expect(store.reads).toBe(4);
    expect(world.tokens.metrics().store.breaker).toBe('half-open');
    await clock.advance(STORE_DEADLINE_MS);
    expect(world.tokens.metrics().store.breaker).toBe('open');
    await world.settle(probes);
    expect(world.tokens.metrics().store).toMatchObject({ reads: 4, timeouts: 4 });

    // While it is open nothing is sent, and nothing waits.
    platform.outage = undefined;
    await clock.advance(15 * SECOND);
    store.recover();
    await world.settle(world.tokens.getTenantAccessToken());
    expect(world.tokens.metrics().store).toMatchObject({ timeouts: 4, breaker: 'closed' });
    expect(storedSecret(store)).toBe(await world.tokens.getTenantAccessToken());
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('#36 with an open breaker, a read sends nothing to the store and waits for nothing', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.break(hang);
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(2 * STORE_DEADLINE_MS); // the publishing's two operations
    expect(world.tokens.metrics().store).toMatchObject({ timeouts: 3, breaker: 'open' });

    const operations = store.operations.length;
    platform.latencyMs = 100;
    const { tookMs } = await timed(world, world.tokens.getAppAccessToken());
    expect(tookMs).toBe(100);
    expect(store.operations).toHaveLength(operations);
    await world.close();
  });

  it('#36 a store that refuses costs no time, and its errors are counted although the cache hides them', async () => {
    const { store, clock, process } = fleetOn(form);
    store.break(fail);
    const world = process();
    const { tookMs } = await timed(world, world.tokens.getTenantAccessToken());
    expect(tookMs).toBe(0);
    await TestClock.settle();
    expect(world.tokens.metrics().store).toEqual({
      reads: 2,
      writes: 1,
      errors: 3,
      timeouts: 0,
      breaker: 'open',
      problem: expect.stringContaining('ECONNREFUSED'),
    });
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['down', fail],
    ['hung', hang],
  ])('#37 with the store %s at start, sharing begins as soon as the store is up', async (__, fault) => {
    const { store, platform, clock, process } = fleetOn(form);
    store.break(fault);
    const a = process();
    const token = await a.settle(a.tokens.getTenantAccessToken());
    await clock.advance(2 * STORE_DEADLINE_MS);
    expect(a.tokens.metrics().store.breaker).toBe('open');

    store.recover();
    await clock.advance(5 * SECOND); // the one retry of the write
    expect(a.tokens.metrics().store.breaker).toBe('closed');
    const b = process();
    expect(await b.settle(b.tokens.getToken(TENANT))).toMatchObject({ value: token, source: 'store' });
    expect(platform.tokenCalls).toBe(1);
    await a.close();
    await b.close();
  });

  it('#37 after an hour without the store, the next renewal is shared again', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.break(hang);
    const a = process();
    await a.settle(a.tokens.getTenantAccessToken());
    await clock.advance(60 * MINUTE);
    store.recover();
    await clock.advance(RENEWAL_DUE_MS - 60 * MINUTE);
    await a.tokens.getTenantAccessToken();
    await clock.advance(SECOND);
    const renewed = await a.tokens.getTenantAccessToken();

    const b = process();
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(renewed);
    expect(platform.tokenCalls).toBe(2);
    expect(a.tokens.metrics().store.breaker).toBe('closed');
    await a.close();
    await b.close();
  });
});

describe('cache-manager', () => {
  expectNoUnhandledRejections();

  it('#36 errors of an adapter with silent reads are noticed by its writes', async () => {
    const { createCache } = await import('cache-manager');
    const { store, process } = fleetOn((it) => createCache({ stores: [it.keyv({ quietReads: true })] }));
    store.break(fail);
    const world = process();
    const { tookMs } = await timed(world, world.tokens.getTenantAccessToken());
    expect(tookMs).toBe(0);
    await TestClock.settle();
    expect(world.tokens.metrics().store.errors).toBeGreaterThan(0);
    await world.close();
  });

  it('#36 each error of a Keyv that throws is counted once', async () => {
    const { createCache } = await import('cache-manager');
    const { store, process } = fleetOn((it) => {
      const keyv = it.keyv({ quietReads: true });
      keyv.throwOnErrors = true;
      return createCache({ stores: [keyv] });
    });
    store.break(fail);
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    expect(world.tokens.metrics().store).toMatchObject({ reads: 2, writes: 1, errors: 3, breaker: 'open' });
    await world.close();
  });

  it("#36 after the close, the module has no listener on the host's stores", async () => {
    const { createCache } = await import('cache-manager');
    const store = new FakeStore(new TestClock());
    const keyv = store.keyv();
    const listeners = keyv.listeners('error').length;
    const world = new TokenWorld({ cache: createCache({ stores: [keyv] }) });
    expect(keyv.listeners('error').length).toBeGreaterThan(listeners);
    await world.close();
    expect(keyv.listeners('error')).toHaveLength(listeners);
  });
});
