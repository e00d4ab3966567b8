import { TestClock } from '../../lib/testing/test-clock.js';
import { fail, hang, STORE_FORMS } from '../fixtures/fake-store.js';
import { SECOND, MINUTE } from '../fixtures/renewal.js';
import { fleetOn, STORE_DEADLINE_MS, storedSecret, timed } from '../fixtures/store-fleet.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe.each(STORE_FORMS)('%s', (_, form) => {
  expectNoUnhandledRejections();

  it.each([
    ['refuses', fail],
    ['hangs over', hang],
  ])(
    '#38 a store that %s the write: the caller gets the token at once, and the write is tried once more',
    async (__, fault) => {
      const { store, clock, process } = fleetOn(form);
      store.onSet = fault;
      const world = process();
      const { result: token, tookMs } = await timed(world, world.tokens.getTenantAccessToken());
      expect(tookMs).toBe(0);
      await clock.advance(STORE_DEADLINE_MS);
      expect(store.writes).toBe(1);
      expect(storedSecret(store)).toBeUndefined();

      store.recover();
      await clock.advance(5 * SECOND);
      expect(store.writes).toBe(2);
      expect(storedSecret(store)).toBe(token);
      await clock.advance(10 * MINUTE);
      expect(store.writes).toBe(2);
      await world.close();
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('#38 a failing write is tried exactly twice', async () => {
    const { store, clock, process } = fleetOn(form);
    store.onSet = fail;
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(30 * MINUTE);
    expect(store.writes).toBe(2);
    expect(clock.pendingTimers).toBe(0);
    await world.close();
  });

  it('#38 the write of a token is not retried after an API rejected the token', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.onSet = fail;
    const world = process();
    const rejected = await world.settle(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    expect(store.writes).toBe(1);
    store.recover();
    platform.revoke(rejected);
    await world.settle(world.tokens.invalidate(TENANT, rejected));
    const next = await world.settle(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    expect(storedSecret(store)).toBe(next);
    const writes = store.writes;
    await clock.advance(MINUTE);
    expect(store.writes).toBe(writes);
    expect(store.dump()).not.toContain(rejected);
    await world.close();
  });

  it('#38 the write of an older generation is not retried, although Feishu returned the same token again', async () => {
    const { store, clock, process } = fleetOn(form);
    store.onSet = fail;
    const world = process();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    store.recover();
    await world.settle(world.tokens.invalidate(TENANT, token));
    expect(await world.settle(world.tokens.getTenantAccessToken())).toBe(token);
    await TestClock.settle();
    expect(storedSecret(store)).toBe(token);
    const operations = store.operations.length;
    await clock.advance(MINUTE);
    expect(store.operations).toHaveLength(operations);
    await world.close();
  });

  it('#38 the write of a replaced token is not retried, the write of its successor is', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.onSet = fail;
    platform.lifetimeMs = 20 * MINUTE; // so short that each call gets another token
    const world = process();
    const first = await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(SECOND);
    const second = (await world.settle(world.tokens.refresh(TENANT))).value;
    expect(second).not.toBe(first);
    await clock.advance(SECOND);
    store.recover();
    await clock.advance(3.5 * SECOND); // past the retry of the first
    expect(store.size).toBe(0);
    await clock.advance(SECOND);
    expect(storedSecret(store)).toBe(second);
    await clock.advance(MINUTE);
    expect(store.writes).toBe(3);
    await world.close();
  });

  it('#38 no write is retried after the application was closed', async () => {
    const { store, clock, process } = fleetOn(form);
    store.onSet = fail;
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    await TestClock.settle();
    await world.close();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(MINUTE);
    expect(store.writes).toBe(1);
  });
});
