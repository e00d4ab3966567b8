import { TestClock } from '../../lib/testing/test-clock.js';
import { answering, forget, STORE_FORMS } from '../fixtures/fake-store.js';
import { SECOND, MINUTE } from '../fixtures/renewal.js';
import {
  fleetOn,
  goodRecord,
  recordIn,
  recordOf,
  RENEWAL_DUE_MS,
  storedSecret,
  tenantKeyIn,
} from '../fixtures/store-fleet.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe.each(STORE_FORMS)('%s', (_, form) => {
  expectNoUnhandledRejections();

  it('#40 a foreign or corrupt record is a miss, is counted, and is overwritten', async () => {
    const good = await goodRecord(form);
    const foreign: readonly unknown[] = [
      ...[0, 1, Number.NaN, '', 'a text', true, false, [], {}, [1, 2, 3], { secret: 't-naked' }],
      { ...good, version: 0 },
      { ...good, version: '1' },
      { ...good, version: undefined },
      { ...good, key: 'feishu-auth:v1:{open.feishu.cn:cli_other:000000000000:tenant}' },
      { ...good, key: undefined },
      { ...good, secret: 42 },
      { ...good, secret: '' },
      { ...good, obtainedAt: 'yesterday' },
      { ...good, obtainedAt: 9e15 },
      { ...good, expiresAt: '2026-01-01T00:00:00Z' },
      { ...good, expiresAt: 1e300 },
      { ...good, lifeMs: -1 },
      { ...good, lifeMs: 1e15 },
      { ...good, sealed: 'no' },
      // What only a cache without serialisation can answer.
      ...[new Date(), new Map([['secret', 't']]), Buffer.from('{}'), () => good, 12n, Symbol('record')],
      Object.defineProperty({}, 'version', {
        get: () => {
          throw new Error('a record that bites');
        },
      }),
    ];
    for (const lie of foreign) {
      const { store, platform, process } = fleetOn(form);
      store.onGet = answering(lie);
      const a = process();
      const token = await a.settle(a.tokens.getTenantAccessToken());
      await TestClock.settle();
      const { errors, breaker } = a.tokens.metrics().store;
      expect({ lie, isCounted: errors > 0, breaker }).toEqual({ lie, isCounted: true, breaker: 'closed' });
      expect(a.tokens.metrics().kinds.tenant).toMatchObject({ storeHits: 0, misses: 1 });

      store.recover();
      const b = process();
      expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(token);
      expect(b.tokens.metrics().kinds.tenant.storeHits).toBe(1);
      expect(platform.tokenCalls).toBe(1);
      await a.close();
      await b.close();
    }
  });

  it('#40 a text that is not JSON is a miss, is counted, and is overwritten', async () => {
    const { store, platform, process } = fleetOn(form);
    const probe = process();
    await probe.settle(probe.tokens.getTenantAccessToken());
    await TestClock.settle();
    const key = tenantKeyIn(store);
    for (const text of ['{"value":', '\u0000\u0001', '<html>504</html>']) {
      store.putText(key, text);
      const world = process();
      const token = await world.settle(world.tokens.getTenantAccessToken());
      await TestClock.settle();
      expect(world.tokens.metrics().store.errors).toBeGreaterThan(0);
      expect(storedSecret(store)).toBe(token);
      await world.close();
    }
    expect(platform.tokenCalls).toBe(4);
    await probe.close();
  });

  it('#40 corrupt records do not open the breaker for intact ones', async () => {
    const { store, clock, process } = fleetOn(form, { appType: 'store' });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    await a.settle(a.tokens.getTenantAccessToken({ tenantKey: 'well' }));
    await TestClock.settle();

    const b = process();
    store.onGet = async (key) => {
      await clock.sleep(10); // so that all are under way at once
      if (key.includes('corrupt')) return 'garbage';
      return key.includes('new-') ? undefined : recordIn(store, key);
    };
    // As many misses behind the corrupt ones as would open the breaker, were they taken for faults.
    const keys = ['well', 'corrupt-1', 'corrupt-2', 'new-1', 'new-2', 'new-3', 'new-4'];
    await b.settle(Promise.all(keys.map((tenantKey) => b.tokens.getTenantAccessToken({ tenantKey }))));
    expect(b.tokens.metrics().store).toMatchObject({ breaker: 'closed', timeouts: 0 });
    const corrupt = store.operations.filter(({ op, key }) => op === 'get' && key.includes('corrupt'));
    expect(b.tokens.metrics().store.errors).toBe(corrupt.length);
    expect(b.tokens.metrics().lock.failedOpen).toBe(0); // as it is for who had no answer from the store
    expect(b.tokens.metrics().kinds.tenant.storeHits).toBe(1);
    await a.close();
    await b.close();
  });

  it('#40 with a store that forgets what it acknowledged, each process renews for itself', async () => {
    const { store, platform, clock, process } = fleetOn(form);
    store.onSet = forget;
    const a = process();
    const b = process();
    const token = await a.settle(a.tokens.getTenantAccessToken());
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(token);
    expect(platform.tokenCalls).toBe(2);
    await clock.advance(RENEWAL_DUE_MS);
    expect(await a.tokens.getTenantAccessToken()).toBe(token);
    await clock.advance(SECOND);
    expect(await a.tokens.getTenantAccessToken()).not.toBe(token);
    expect(a.tokens.metrics().store).toMatchObject({ errors: 0, timeouts: 0, breaker: 'closed' });
    await a.close();
    await b.close();
  });

  it("#40 a store that answers with another tenant's record gives a miss", async () => {
    const { store, process } = fleetOn(form, { appType: 'store' });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    const mine = await a.settle(a.tokens.getTenantAccessToken({ tenantKey: 'mine' }));
    await TestClock.settle();
    const ofMine = store.keys.find((key) => key.endsWith(':mine}')) ?? '';

    const b = process();
    store.onGet = (key) => recordIn(store, key.endsWith(':yours}') ? ofMine : key);
    const yours = await b.settle(b.tokens.getTenantAccessToken({ tenantKey: 'yours' }));
    expect(yours).not.toBe(mine);
    expect(yours).toContain('yours');
    await a.close();
    await b.close();
  });

  it('#40 a record that claims an end in years is used for one token life at most', async () => {
    const { store, process, clock } = fleetOn(form);
    const a = process();
    await a.settle(a.tokens.getTenantAccessToken());
    await TestClock.settle();
    const key = tenantKeyIn(store);
    const liar = { ...recordOf(recordIn(store, key)), expiresAt: clock.now() + 1_000 * 24 * 60 * MINUTE };
    store.onGet = answering(liar);
    const b = process();
    const { expiresAt } = await b.settle(b.tokens.getToken(TENANT));
    expect(expiresAt.getTime()).toBeLessThanOrEqual(clock.now() + 120 * MINUTE);
    await a.close();
    await b.close();
  });

  it('#47 a record of a later schema is not read, overwritten or removed', async () => {
    const good = await goodRecord(form);
    const { store, platform, clock, process } = fleetOn(form);
    const future = {
      version: 2,
      key: good['key'],
      ciphers: ['x'],
      secret: 't-of-the-future',
      expiresAt: good['expiresAt'],
      obtainedAt: 1,
    };
    const key = String(good['key']);
    const asStored = form === STORE_FORMS[0]?.[1] ? future : { value: future };
    store.put(key, asStored);
    const before = store.text(key);

    const world = process();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    expect(token).not.toBe('t-of-the-future');
    await clock.advance(MINUTE);
    platform.revoke(token);
    expect(await world.settle(world.tokens.invalidate(TENANT, token))).toBe(true);
    const next = await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(RENEWAL_DUE_MS);
    await world.tokens.getTenantAccessToken();
    await clock.advance(MINUTE);
    expect(await world.tokens.getTenantAccessToken()).not.toBe(next);

    expect(store.text(key)).toBe(before);
    expect(store.writes).toBe(0);
    expect(world.tokens.metrics().store).toMatchObject({ errors: 0, breaker: 'closed' });
    await world.close();
  });

  it('#47 the schema version is part of the key', async () => {
    expect(String((await goodRecord(form))['key'])).toMatch(/^feishu-auth:v1:\{/);
  });
});
