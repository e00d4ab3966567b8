import { type TokenCache } from '../../lib/store/token-cache.js';
import { runInThisContext } from 'node:vm';
import { MemoryCache } from '../../lib/store/memory-cache.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { type TokenQuery } from '../../lib/tokens/access-token.js';
import { answering, fail, FakeStore, forget, hang, STORE_FORMS } from '../fixtures/fake-store.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

/** What Jest gives a test is a copy of it, on which no warning is ever emitted. */
const actualProcess = runInThisContext('process') as NodeJS.Process;

const TENANT = { kind: 'tenant' } as const;
const APP = { kind: 'app' } as const;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const STORE_DEADLINE_MS = 250;
/** What a hung store may add to a cold read, all in all. */
const HUNG_STORE_COST_MS = 600;
/** Renewal is due by then, at the latest draw, and the token has 20 minutes left. */
const RENEWAL_DUE_MS = 100 * MINUTE;

interface Fleet {
  clock: TestClock;
  platform: ScriptedPlatform;
  store: FakeStore;
  /** One more process on the store, the clock and the platform that all share. */
  process: (options?: TokenWorldOptions) => TokenWorld;
}

function fleetOn(form: (store: FakeStore) => TokenCache, common: TokenWorldOptions = {}): Fleet {
  const clock = new TestClock();
  const platform = new ScriptedPlatform(clock);
  const store = new FakeStore(clock);
  const cache = form(store);
  const process = (options: TokenWorldOptions = {}): TokenWorld =>
    new TokenWorld({ clock, platform, cache, ...common, ...options });
  return { clock, platform, store, process };
}

/** How long `work` took on the test's clock, to the millisecond. */
async function timed<T>(world: TokenWorld, work: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedAt = world.clock.monotonic();
  const result = await world.settle(work.then((it) => ({ it, at: world.clock.monotonic() })));
  return { result: result.it, tookMs: result.at - startedAt };
}

/** The one key of the tenant's token. */
function tenantKeyIn(store: FakeStore): string {
  const key = store.operations.map((operation) => operation.key).find((it) => it.endsWith(':tenant}'));
  if (key === undefined) throw new Error('the store was never asked for the token');
  return key;
}

const recordOf = (value: unknown): Record<string, unknown> => value as Record<string, unknown>;

describe.each(STORE_FORMS)('%s', (_, form) => {
  expectNoUnhandledRejections();

  const storedSecret = (store: FakeStore): unknown => {
    const value = recordOf(store.value(tenantKeyIn(store)) ?? {});
    return recordOf(value['value'] ?? value)['secret'];
  };

  it('#36 a store that hangs costs a cold read its deadline once, and a warm read nothing', async () => {
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

  it('#36 a refresh right behind a cold read does not wait for that store again', async () => {
    const { store, platform, process } = fleetOn(form);
    store.break(hang);
    platform.latencyMs = 100;
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    const { tookMs } = await timed(world, world.tokens.refresh(TENANT));
    expect(tookMs).toBeLessThanOrEqual(HUNG_STORE_COST_MS + 100);
    await world.close();
  });

  it("#36 a store app's cold tenant read needs a ticket and two tokens, and still waits 0.6 s at most", async () => {
    const { store, platform, process } = fleetOn(form, { appType: 'store' });
    const world = process();
    await world.engine.tickets.set('ticket-1');
    store.break(hang);
    platform.latencyMs = 100;
    const { tookMs } = await timed(world, world.tokens.getTenantAccessToken({ tenantKey: 'tenant-a' }));
    expect(tookMs).toBeLessThanOrEqual(HUNG_STORE_COST_MS + 2 * 100);
    await world.close();
  });

  it('#36 the breaker opens, probes every 5 s with one operation, and closes by itself', async () => {
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

  it('#36 an open breaker sends nothing and costs nothing', async () => {
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

  it('#36 a store that refuses costs no time, and its faults are seen though the cache hides them', async () => {
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
  ])('#37 with the store %s at boot, sharing begins as soon as it is up', async (__, fault) => {
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

  it('#37 a store that stays away for an hour is shared through again by the next renewal', async () => {
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

  it.each([
    ['refuses', fail],
    ['hangs over', hang],
  ])(
    '#38 a store that %s the write: the caller has the token, the write is tried once more',
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

  it('#38 the write is tried once more and never again', async () => {
    const { store, clock, process } = fleetOn(form);
    store.onSet = fail;
    const world = process();
    await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(30 * MINUTE);
    expect(store.writes).toBe(2);
    expect(clock.pendingTimers).toBe(0);
    await world.close();
  });

  it('#38 no retry once the token was rejected', async () => {
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

  it('#38 no retry of an older generation, though the platform stood by its token', async () => {
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

  it('#38 no retry of a token that was replaced, only of the one in its place', async () => {
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

  it('#38 no retry after the application was closed', async () => {
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

  it('#40 what is no record of ours is a miss, counted, and overwritten', async () => {
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

  it('#40 a text that is no JSON is a miss, counted, and overwritten', async () => {
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

  it('#40 corrupt records do not take the store away from the keys that are well', async () => {
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

  it('#40 a store that acknowledges and forgets is only a store that shares nothing', async () => {
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

  it("#40 a store that answers with another tenant's record is not believed", async () => {
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

  it('#40 a record that claims to live on and on is good for one life of a token', async () => {
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

  it('#47 a record of a later schema is neither read nor overwritten nor removed', async () => {
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

  it('#47 the schema is part of the key: versions that cannot share do not meet', async () => {
    expect(String((await goodRecord(form))['key'])).toMatch(/^feishu-auth:v1:\{/);
  });

  it('#47 encryption: no token and no ticket lies in the store in the clear', async () => {
    const { store, process } = fleetOn(form, { appType: 'store', encryptionKeys: [KEY_1] });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    const tenantKey = 'tenant-a';
    const token = await a.settle(a.tokens.getTenantAccessToken({ tenantKey }));
    const appToken = await a.settle(a.tokens.getAppAccessToken());
    await TestClock.settle();
    expect(store.size).toBe(3);
    for (const secret of [token, appToken, 'ticket-1', 'the-secret-of-the-app']) {
      expect(store.dump()).not.toContain(secret);
      expect(store.dump()).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
    }
    const b = process();
    expect(await b.settle(b.tokens.getTenantAccessToken({ tenantKey }))).toBe(token);
    expect(b.tokens.metrics().kinds.tenant).toMatchObject({ storeHits: 1, misses: 0 });
    expect(await b.engine.tickets.current()).toBe('ticket-1');
    await a.close();
    await b.close();
  });

  it('#47 encryption: keys rotate, the first writes and all read', async () => {
    const { store, platform, clock, process } = fleetOn(form, { encryptionKeys: [KEY_1] });
    const a = process();
    const token = await a.settle(a.tokens.getTenantAccessToken());
    await TestClock.settle();
    expect(store.dump()).toContain('2025');

    const b = process({ encryptionKeys: [KEY_2, KEY_1] });
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(token);
    await clock.advance(RENEWAL_DUE_MS);
    const next = (await b.settle(b.tokens.refresh(TENANT))).value;
    await TestClock.settle();
    expect(store.dump()).toContain('2026');
    // Who has the new key only reads it; who has the old one only cannot, and gets along.
    const c = process({ encryptionKeys: [KEY_2] });
    expect(await c.settle(c.tokens.getToken(TENANT))).toMatchObject({ value: next, source: 'store' });
    const d = process({ encryptionKeys: [KEY_1] });
    expect(await d.settle(d.tokens.getToken(TENANT))).toMatchObject({ source: 'platform' });
    expect(platform.tokenCalls).toBe(3);
    for (const world of [a, b, c, d]) await world.close();
  });

  it("#47 encryption: a record moved under another tenant's key does not open, even relabelled", async () => {
    const { store, process } = fleetOn(form, { appType: 'store', encryptionKeys: [KEY_1] });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    const mine = await a.settle(a.tokens.getTenantAccessToken({ tenantKey: 'mine' }));
    await TestClock.settle();
    const ofMine = store.keys.find((key) => key.endsWith(':mine}')) ?? '';
    const b = process();
    store.onGet = (key) => {
      if (!key.endsWith(':yours}')) return recordIn(store, key);
      return { ...recordOf(recordIn(store, ofMine)), key };
    };
    const yours = await b.settle(b.tokens.getTenantAccessToken({ tenantKey: 'yours' }));
    expect(yours).not.toBe(mine);
    expect(b.tokens.metrics().kinds.tenant.storeHits).toBe(0);
    await a.close();
    await b.close();
  });

  it('#47 encryption: a record that was tampered with, or was never sealed, is a miss', async () => {
    const { store, platform, clock, process } = fleetOn(form, { encryptionKeys: [KEY_1] });
    const a = process();
    await a.settle(a.tokens.getTenantAccessToken());
    await TestClock.settle();
    const record = recordOf(recordIn(store, tenantKeyIn(store)));
    const sealed = record['sealed'] as Record<string, string>;
    const flipped = (text = ''): string => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    const plaintext = { ...record, sealed: undefined, secret: 't-planted' };
    const mutated = [
      plaintext,
      { ...record, secret: 't-planted', sealed: { ...sealed, keyId: 'unknown' } },
      ...['data', 'iv', 'tag'].map((part) => ({
        ...record,
        sealed: { ...sealed, [part]: flipped(sealed[part]) },
      })),
      { ...record, sealed: { ...sealed, tag: sealed['tag']?.slice(0, 8) } },
      { ...record, sealed: { ...sealed, iv: '' } },
      { ...record, sealed: { ...sealed, data: '' } },
    ];
    for (const lie of mutated) {
      store.onGet = answering(lie);
      const world = process();
      const { value, source } = await world.settle(world.tokens.getToken(TENANT));
      expect({ lie, source }).toEqual({ lie, source: 'platform' });
      expect(value).not.toBe('t-planted');
      await world.close();
    }
    expect(platform.tokenCalls).toBe(1 + mutated.length);
    await a.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('cache-manager', () => {
  expectNoUnhandledRejections();

  it('#36 an adapter whose reads fail in silence is heard by its writes', async () => {
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

  it('#36 faults of a Keyv that throws are seen, and counted once each', async () => {
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

  it("#36 nothing of this module listens on the host's stores once it is closed", async () => {
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

describe('two tiers', () => {
  expectNoUnhandledRejections();

  /** What cache-manager's `wrap` and its like do: what the second tier had is kept in the first for a full life. */
  function tiered(first: FakeStore, second: FakeStore): TokenCache {
    const [upper, lower] = [first.bare, second.bare];
    const cache = {
      get: async (key: string): Promise<unknown> => {
        const near = await upper.get(key);
        if (near !== undefined) return near;
        const far = await lower.get(key);
        if (far !== undefined) await upper.set(key, far, 7_200_000);
        return far;
      },
      set: async (key: string, value: unknown, ttlMs?: number): Promise<unknown> => {
        await Promise.all([upper.set(key, value, 7_200_000), lower.set(key, value, ttlMs)]);
        return value;
      },
    };
    return cache;
  }

  it('#39 what came through a nearer tier ends when the token does, not when the tier says', async () => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    const [near, far] = [new FakeStore(clock), new FakeStore(clock)];
    const a = new TokenWorld({ clock, platform, cache: far.bare });
    const original = await a.settle(a.tokens.getToken(TENANT));
    await clock.advance(60 * MINUTE);

    const b = new TokenWorld({ clock, platform, cache: tiered(near, far) });
    const promoted = await b.settle(b.tokens.getToken(TENANT));
    expect(promoted).toMatchObject({
      value: original.value,
      source: 'store',
      expiresAt: original.expiresAt,
      obtainedAt: original.obtainedAt,
    });

    // The platform is gone: b uses the token to its end and not a moment longer, whatever the nearer tier still has.
    platform.outage = { status: 503 };
    await clock.advance(original.expiresAt.getTime() - 10_000 - 1 - clock.now());
    expect(b.tokens.handle(TENANT).peek()).toBe(original.value);
    await clock.advance(1);
    expect(b.tokens.handle(TENANT).peek()).toBeUndefined();
    expect(near.size).toBe(1);
    await expect(b.settle(b.tokens.getTenantAccessToken())).rejects.toMatchObject({ retryable: true });
    const c = new TokenWorld({ clock, platform, cache: tiered(near, far) });
    await expect(c.settle(c.tokens.getTenantAccessToken())).rejects.toMatchObject({ retryable: true });
    for (const world of [a, b, c]) await world.close();
  });

  it('#39 adopted again and again, a token never ends later than the first process said', async () => {
    const clock = new TestClock();
    const platform = new ScriptedPlatform(clock);
    const store = new FakeStore(clock);
    const worlds: TokenWorld[] = [];
    const ends = new Set<number>();
    for (let process = 0; process < 5; process++) {
      const world = new TokenWorld({ clock, platform, cache: store.bare });
      ends.add((await world.settle(world.tokens.getToken(TENANT))).expiresAt.getTime());
      await clock.advance(15 * MINUTE);
      worlds.push(world);
    }
    expect(ends.size).toBe(1);
    expect(platform.tokenCalls).toBe(1);
    for (const world of worlds) await world.close();
  });
});

describe('isolation of what is held', () => {
  expectNoUnhandledRejections();

  it('#41 nothing that a caller does to what it was given reaches the cache', async () => {
    const world = new TokenWorld();
    const given = await world.settle(world.tokens.getToken(TENANT));
    const { value } = given;
    const end = given.expiresAt.getTime();
    given.value = 'hijacked';
    given.expiresAt.setTime(0);
    given.obtainedAt.setTime(0);
    given.kind = 'app';
    const again = await world.tokens.getToken(TENANT);
    expect(again).toMatchObject({ value, kind: 'tenant', source: 'memory', expiresAt: new Date(end) });
    expect(again.obtainedAt.getTime()).toBeGreaterThan(0);

    const metrics = world.tokens.metrics();
    metrics.kinds.tenant.hits = -1;
    metrics.kinds.tenant.refresh.failuresByCode['ERR_FEISHU_CLOSED'] = 7;
    metrics.store.breaker = 'open';
    expect(world.tokens.metrics()).toMatchObject({
      kinds: { tenant: { hits: 1, refresh: { failuresByCode: {} } } },
      store: { breaker: 'closed' },
    });
    await world.close();
  });

  it('#41 nor does changing a query after it was given', async () => {
    const world = new TokenWorld({ appType: 'store' });
    await world.engine.tickets.set('ticket-1');
    const query = { kind: 'tenant' as const, tenantKey: 'mine' };
    const handle = world.tokens.handle(query);
    query.tenantKey = 'yours';
    expect(await world.settle(handle.get())).toContain('mine');
    await world.close();
  });

  it('#41 a store that changes what it was given changes nothing here', async () => {
    const kept: Record<string, unknown>[] = [];
    const cache = {
      get: () => Promise.resolve(kept.at(-1)),
      set: (_: string, record: Record<string, unknown>) => Promise.resolve(void kept.push(record)),
    };
    const world = new TokenWorld({ cache });
    const token = await world.settle(world.tokens.getToken(TENANT));
    await TestClock.settle();
    Object.assign(kept[0] ?? {}, { secret: 'hijacked', expiresAt: 0 });
    expect(await world.tokens.getToken(TENANT)).toEqual({ ...token, source: 'memory' });
    await world.close();
  });
});

describe('a crowd of tenants', () => {
  expectNoUnhandledRejections();

  const MAX = 1_000;
  /** 50 000 in the soak. */
  const TENANTS = Number(process.env['CROWD'] ?? 15_000);
  /** Enough to go round. */
  const MADE_UP = 4 * MAX;

  /** A platform that keeps no book of what it issued, and counts what is under way. */
  function crowdedPlatform(answer: (tenantKey: string | undefined) => object) {
    const stats = { calls: 0, underWay: 0, most: 0 };
    const fetch: typeof globalThis.fetch = async (_, init) => {
      stats.calls++;
      stats.most = Math.max(stats.most, ++stats.underWay);
      await Promise.resolve();
      stats.underWay--;
      const { tenant_key } = JSON.parse(init?.body as string) as { tenant_key?: string };
      return new Response(JSON.stringify(answer(tenant_key)));
    };
    return { stats, fetch };
  }

  async function crowdedWorld(fetch: typeof globalThis.fetch) {
    const clock = new TestClock();
    const cache = new MemoryCache(MAX + 8, clock);
    const world = new TokenWorld({ appType: 'store', maxTokens: MAX, clock, cache, fetch });
    await world.engine.tickets.set('ticket-1');
    await world.settle(world.tokens.getAppAccessToken());
    return { world, clock, entries: cache };
  }

  async function inBatches(
    count: number,
    visit: (index: number) => Promise<unknown>,
    after: () => void,
  ): Promise<void> {
    for (let start = 0; start < count; start += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => visit(start + index)));
      await TestClock.settle();
      after();
    }
  }

  it('#42 come and go within the bounds that were set', async () => {
    const { fetch, stats } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const { world, clock, entries } = await crowdedWorld(fetch);
    const queryOf = (index: number): TokenQuery => ({ kind: 'tenant', tenantKey: `tenant-${index}` });
    const oldest = world.tokens.handle(queryOf(0));

    let wrong = 0;
    await inBatches(
      TENANTS,
      async (index) => {
        const { value } = await world.tokens.getToken(queryOf(index));
        if (value !== `t-tenant-${index}`) wrong++;
      },
      () => {
        expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
        expect(entries.size).toBeLessThanOrEqual(MAX + 8);
        expect(clock.pendingTimers).toBe(0);
        expect(world.tokens.handle(APP).peek()).toBe('a-token');
      },
    );
    expect(wrong).toBe(0);
    expect(stats.calls).toBe(TENANTS + 1);
    expect(world.tokens.metrics().kinds.tenant.tokens).toBeLessThanOrEqual(MAX);
    // The most recent ones are those that are held, and a handle whose slot was let go finds its successor.
    expect(world.tokens.handle(queryOf(TENANTS - 1)).peek()).toBe(`t-tenant-${TENANTS - 1}`);
    expect(oldest.peek()).toBeUndefined();
    expect(await world.settle(oldest.get())).toBe('t-tenant-0');
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  }, 120_000);

  it('#42 that somebody made up fill neither memory nor log, and lock nobody out', async () => {
    const { fetch } = crowdedPlatform((tenantKey) => {
      if (tenantKey === undefined) return { code: 0, app_access_token: 'a-token', expire: 7_200 };
      if (tenantKey.startsWith('real'))
        return { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 };
      return { code: 99991665, msg: 'no such tenant' };
    });
    const { world, clock, entries } = await crowdedWorld(fetch);
    await inBatches(
      MADE_UP,
      async (index) => {
        const asked = world.tokens.getTenantAccessToken({ tenantKey: `made-up-${index}` });
        await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_TENANT_REJECTED' });
      },
      () => {
        // Those that failed a moment ago are remembered beyond the bound, twice of it at most (and one batch on its way).
        expect(world.engine.slots.size).toBeLessThanOrEqual(2 * MAX + 500);
        expect(entries.size).toBeLessThanOrEqual(MAX + 8);
        expect(clock.pendingTimers).toBe(0);
      },
    );
    expect(world.logged).toHaveLength(1);
    const real = await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'real-1' }));
    expect(real).toBe('t-real-1');
    expect(world.tokens.handle(APP).peek()).toBe('a-token');
    await world.close();
  }, 120_000);

  it('#42 that one moment asks for at once do not stop the process', async () => {
    const { fetch, stats } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const { world, clock, entries } = await crowdedWorld(fetch);
    const all = Array.from({ length: MADE_UP }, (_, index) =>
      world.tokens.getTenantAccessToken({ tenantKey: `tenant-${index}` }),
    );
    const values = await world.settle(Promise.all(all));
    expect(new Set(values).size).toBe(MADE_UP);
    expect(stats.calls).toBe(MADE_UP + 1);
    await clock.advance(SECOND);
    // Flights under way cannot be let go; the next newcomer makes room.
    await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'one-more' }));
    await TestClock.settle();
    expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
    expect(entries.size).toBeLessThanOrEqual(MAX + 8);
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  }, 120_000);

  it('#42 whose store is down: the writes that are to be tried again are over in seconds', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const { fetch } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    actualProcess.on('warning', onWarning);
    const world = new TokenWorld({ appType: 'store', maxTokens: MAX, clock, cache: store.managed, fetch });
    await world.engine.tickets.set('ticket-1');
    store.break(fail);
    let afterFirst = 0;
    for (let start = 0; start < 5_000; start += 500) {
      const visits = Array.from({ length: 500 }, (_, index) =>
        world.tokens.getTenantAccessToken({ tenantKey: `tenant-${start + index}` }),
      );
      await Promise.all(visits);
      await clock.advance(SECOND);
      afterFirst ||= store.operations.length;
      expect(clock.pendingTimers).toBeLessThanOrEqual(6 * 500);
      expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
    }
    await clock.advance(6 * SECOND);
    expect(clock.pendingTimers).toBe(0);
    // The breaker let a probe through now and then, and nothing else.
    expect(store.operations.length - afterFirst).toBeLessThanOrEqual(6);
    await world.close();
    actualProcess.off('warning', onWarning);
    expect(warnings).toEqual([]); // such as Node's, that so many listeners look like a leak
  }, 120_000);
});

const KEY_1 = { id: '2025', key: Buffer.alloc(32, 1).toString('base64') };
const KEY_2 = { id: '2026', key: new Uint8Array(32).fill(2) };

/** The record under `key` as the module wrote it, whichever form it went through. */
function recordIn(store: FakeStore, key: string): unknown {
  const value = store.value(key);
  if (typeof value !== 'object' || value === null) return undefined;
  return 'value' in value ? value.value : value;
}

/** A record that any process would adopt, of the tenant token of TokenWorld's app. */
async function goodRecord(form: (store: FakeStore) => TokenCache): Promise<Record<string, unknown>> {
  const { store, process } = fleetOn(form);
  const world = process();
  await world.settle(world.tokens.getTenantAccessToken());
  await TestClock.settle();
  const record = recordIn(store, tenantKeyIn(store));
  await world.close();
  return recordOf(record);
}
