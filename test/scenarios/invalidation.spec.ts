import { InProcessRefreshLock } from '../../lib/lock/in-process-refresh-lock.js';
import { RefreshLock, type RefreshLease } from '../../lib/lock/refresh-lock.js';
import { isTokenRejection } from '../../lib/platform/error-codes.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore, fail, hang } from '../fixtures/fake-store.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const MINUTE = 60_000;
/** Renewal is due by then, at the latest draw, and the token has 20 minutes left. */
const RENEWAL_DUE_MS = 100 * MINUTE;

const grantOf = (value: string, expire = 7_200): { body: string } => ({
  body: JSON.stringify({ code: 0, msg: 'ok', tenant_access_token: value, expire }),
});

/** Two processes on one clock, one platform, one store. */
function fleet(options: TokenWorldOptions = {}) {
  const clock = new TestClock();
  const platform = new ScriptedPlatform(clock);
  const store = new FakeStore(clock);
  const process = (): TokenWorld => new TokenWorld({ clock, platform, cache: store.bare, ...options });
  return { clock, platform, store, a: process(), b: process() };
}

/** Everything that the store holds of the token, `undefined` when there is no secret in it. */
function storedToken(store: FakeStore): string | undefined {
  const [key] = store.keys;
  return key === undefined ? undefined : (store.value(key) as { secret?: string } | undefined)?.secret;
}

describe('invalidation', () => {
  expectNoUnhandledRejections();

  it('#30 twenty requests that report one dead token at different times cost one renewal', async () => {
    const world = new TokenWorld();
    const dead = await world.settle(world.tokens.getTenantAccessToken());
    world.platform.revoke(dead);
    world.platform.latencyMs = 100;

    const requests = Array.from({ length: 20 }, async (_, index) => {
      await world.clock.sleep(index * 15); // before, during and after the renewal
      const wasCurrent = await world.tokens.invalidate(TENANT, dead);
      return { wasCurrent, replayedWith: await world.tokens.getTenantAccessToken() };
    });
    const outcomes = await world.settle(Promise.all(requests));

    expect(new Set(outcomes.map(({ replayedWith }) => replayedWith)).size).toBe(1);
    expect(outcomes[0]?.replayedWith).not.toBe(dead);
    expect(outcomes.filter(({ wasCurrent }) => wasCurrent)).toHaveLength(1);
    expect(world.platform.tokenCalls).toBe(2);
    expect(world.tokens.metrics().kinds.tenant).toMatchObject({ invalidations: 1, misses: 2 });
    await world.close();
  });

  it('#31 a report about an older token starts no renewal and removes nothing, here and in the store', async () => {
    const { a, store, platform, clock } = fleet();
    const old = await a.settle(a.tokens.getTenantAccessToken());
    await clock.advance(RENEWAL_DUE_MS);
    await a.tokens.getTenantAccessToken();
    await clock.advance(0);
    const current = await a.tokens.getTenantAccessToken();
    expect(current).not.toBe(old);

    const storeOperations = store.operations.length;
    expect(await a.tokens.invalidate(TENANT, old)).toBe(false);
    expect(a.tokens.handle(TENANT).peek()).toBe(current);
    await clock.advance(MINUTE);
    expect(platform.tokenCalls).toBe(2);
    expect(store.operations).toHaveLength(storeOperations);
    expect(storedToken(store)).toBe(current);
    expect(a.tokens.metrics().kinds.tenant.invalidations).toBe(0);
    await a.close();
  });

  it('#31 a process that missed a renewal of the fleet adopts the newer token without a request to Feishu', async () => {
    const { a, b, platform, clock } = fleet();
    const old = await a.settle(a.tokens.getTenantAccessToken());
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(old);
    await clock.advance(RENEWAL_DUE_MS);
    await a.tokens.getTenantAccessToken();
    await clock.advance(0);
    const newer = await a.tokens.getTenantAccessToken();
    platform.revoke(old);

    expect(await b.settle(b.tokens.invalidate(TENANT, old))).toBe(true);
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(newer);
    expect(platform.tokenCalls).toBe(2);
    await a.close();
    await b.close();
  });

  it('#32 Feishu returns the rejected token again: it is confirmed, and cannot be rejected for 60 s', async () => {
    const { a, platform, store, clock } = fleet();
    const token = await a.settle(a.tokens.getTenantAccessToken());

    expect(await a.settle(a.tokens.invalidate(TENANT, token))).toBe(true);
    expect(await a.settle(a.tokens.getTenantAccessToken())).toBe(token);
    expect(platform.tokenCalls).toBe(2);
    expect(a.tokens.metrics().kinds.tenant.refresh).toMatchObject({ success: 1, noop: 1, failure: 0 });
    expect(storedToken(store)).toBe(token);

    for (let second = 0; second < 59; second++) {
      expect(await a.tokens.invalidate(TENANT, token)).toBe(false);
      expect(a.tokens.handle(TENANT).peek()).toBe(token);
      await clock.advance(1_000);
    }
    expect(platform.tokenCalls).toBe(2);
    expect(a.tokens.metrics().kinds.tenant.invalidations).toBe(1);

    await clock.advance(1_000);
    expect(await a.settle(a.tokens.invalidate(TENANT, token))).toBe(true);
    expect(await a.settle(a.tokens.getTenantAccessToken())).toBe(token);
    expect(platform.tokenCalls).toBe(3);
    await a.close();
  });

  it('#32 the successor of a confirmed token can be rejected at once', async () => {
    const world = new TokenWorld();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await world.settle(world.tokens.invalidate(TENANT, token));
    expect(await world.settle(world.tokens.getTenantAccessToken())).toBe(token);
    await world.clock.advance(RENEWAL_DUE_MS);
    await world.settle(world.tokens.refresh(TENANT));
    const next = await world.tokens.getTenantAccessToken();
    expect(next).not.toBe(token);

    world.platform.revoke(next);
    expect(await world.settle(world.tokens.invalidate(TENANT, next))).toBe(true);
    expect(await world.settle(world.tokens.getTenantAccessToken())).not.toBe(next);
    await world.close();
  });

  it('#33 a token that an older generation fetched is neither returned nor stored', async () => {
    const { a, platform, store, clock } = fleet();
    const rejected = await a.settle(a.tokens.getTenantAccessToken());
    await clock.advance(RENEWAL_DUE_MS);
    platform.latencyMs = 1_000;
    platform.next(grantOf('t-of-the-older-generation'), grantOf('t-of-the-newer-generation'));
    expect(await a.tokens.getTenantAccessToken()).toBe(rejected); // and starts the renewal behind it
    const joined = a.tokens.refresh(TENANT); // waits for that same renewal
    await clock.advance(500);
    expect(platform.tokenCalls).toBe(2);

    const wasCurrent = a.tokens.invalidate(TENANT, rejected);
    const asked = a.tokens.getTenantAccessToken();
    for (let elapsed = 0; elapsed < 900; elapsed += 100) {
      await clock.advance(100);
      expect(a.tokens.handle(TENANT).peek()).toBeUndefined();
    }
    expect(await a.settle(wasCurrent)).toBe(true);
    expect(await a.settle(asked)).toBe('t-of-the-newer-generation');
    expect((await a.settle(joined)).value).toBe('t-of-the-newer-generation');
    await clock.advance(MINUTE);
    expect(a.tokens.handle(TENANT).peek()).toBe('t-of-the-newer-generation');
    expect(store.dump()).not.toContain('t-of-the-older-generation');
    expect(storedToken(store)).toBe('t-of-the-newer-generation');
    // The flight that was called off gave its lock back first.
    expect(a.tokens.metrics().lock).toMatchObject({ acquired: 3, failedOpen: 0 });
    await a.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('#33 a token rejected before its write is not stored', async () => {
    const { a, platform, store, clock } = fleet();
    const written: unknown[] = [];
    store.onGet = (key) => clock.sleep(200).then(() => store.value(key));
    store.onSet = (key, record) => {
      written.push((record as { secret?: string }).secret);
      store.put(key, record);
    };
    const rejected = await a.settle(a.tokens.getTenantAccessToken());
    platform.revoke(rejected);
    // The store is just being asked whether it has something better.
    expect(written).toEqual([]);
    const wasCurrent = a.tokens.invalidate(TENANT, rejected);
    const next = await a.settle(a.tokens.getTenantAccessToken());
    expect(await a.settle(wasCurrent)).toBe(true);
    await clock.advance(MINUTE);
    expect(written).toEqual([next]);
    await a.close();
  });

  it('#33 a late answer of the store does not bring the rejected token back', async () => {
    const { a, platform, store, clock } = fleet();
    const rejected = await a.settle(a.tokens.getTenantAccessToken());
    platform.revoke(rejected);
    const stale = store.value(store.keys[0] ?? '');
    store.onGet = () => clock.sleep(200).then(() => stale);

    const wasCurrent = a.tokens.invalidate(TENANT, rejected);
    const asked = a.settle(a.tokens.getTenantAccessToken());
    expect(await asked).not.toBe(rejected);
    expect(await a.settle(wasCurrent)).toBe(true);
    await a.close();
  });

  it('#33 with Feishu down, the rejected token is not returned again', async () => {
    const { a, platform, clock } = fleet();
    const rejected = await a.settle(a.tokens.getTenantAccessToken());
    platform.outage = { status: 503 };

    expect(await a.settle(a.tokens.invalidate(TENANT, rejected))).toBe(true);
    for (let attempt = 0; attempt < 20; attempt++) {
      const asked = a.settle(a.tokens.getTenantAccessToken());
      await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE' });
      expect(a.tokens.handle(TENANT).peek()).toBeUndefined();
      await clock.advance(3_000);
    }
    await a.close();
  });

  it('#33 a lock that does not release does not delay the next renewal', async () => {
    class Sticky extends RefreshLock {
      acquire(): Promise<RefreshLease> {
        return Promise.resolve({ isHeld: () => true, release: hang });
      }
    }
    const world = new TokenWorld({ lock: new Sticky() });
    const rejected = await world.settle(world.tokens.getTenantAccessToken());
    await world.clock.advance(RENEWAL_DUE_MS);
    world.platform.latencyMs = 1_000;
    await world.tokens.getTenantAccessToken();
    await world.clock.advance(500);
    const startedAt = world.clock.monotonic();
    await world.settle(world.tokens.invalidate(TENANT, rejected));
    expect(await world.settle(world.tokens.getTenantAccessToken())).not.toBe(rejected);
    expect(world.clock.monotonic() - startedAt).toBeLessThanOrEqual(2_000);
    await world.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('#34 only the codes about the token itself count as a rejection', () => {
    expect([99991663, 99991664].map(isTokenRejection)).toEqual([true, true]);
    const others = [
      0, 403, 401, 99991672, 99991679, 99991400, 99991401, 99991661, 99991662, 2200, 1500, 230001,
    ];
    expect(others.filter(isTokenRejection)).toEqual([]);
    expect(['99991663', undefined, null, {}, Number.NaN].filter(isTokenRejection)).toEqual([]);
  });

  it("#34 a tenant grant that fails for another reason does not drop the store app's own token", async () => {
    const world = new TokenWorld({ appType: 'store' });
    await world.engine.tickets.set('ticket-1');
    const appToken = await world.settle(world.tokens.getAppAccessToken());
    for (const code of [99991672, 99991400, 99991665, 2200]) {
      world.platform.outage = { code };
      const asked = world.tokens.getTenantAccessToken({ tenantKey: `tenant-${code}` });
      await expect(world.settle(asked)).rejects.toMatchObject({ feishuCode: code });
    }
    expect(await world.tokens.getAppAccessToken()).toBe(appToken);
    expect(world.tokens.metrics().kinds.app).toMatchObject({ invalidations: 0, misses: 1 });
    await world.close();
  });

  it('#34 a tenant grant that rejects the app token renews that token once, without a loop', async () => {
    const world = new TokenWorld({ appType: 'store' });
    await world.engine.tickets.set('ticket-1');
    const appToken = await world.settle(world.tokens.getAppAccessToken());
    world.platform.revoke(appToken);
    await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'a' }));
    expect(world.platform.callsTo('/app_access_token')).toBe(2);
    expect(world.platform.callsTo('/tenant_access_token')).toBe(2);

    // This grant refuses every app token.
    const before = world.platform.callsTo('/tenant_access_token');
    const refused = { code: 99991664 };
    const anotherAppToken = {
      body: JSON.stringify({ code: 0, app_access_token: 'a-another', expire: 7_200 }),
    };
    world.platform.next(refused, anotherAppToken, refused, refused, refused, refused);
    const asked = world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'b' }));
    await expect(asked).rejects.toMatchObject({ feishuCode: 99991664 });
    // Once with the old app token; with the new one as often as anything passing is tried.
    expect(world.platform.callsTo('/tenant_access_token') - before).toBe(4);
    expect(world.platform.callsTo('/app_access_token')).toBe(3);
    await world.close();
  });

  it('#35 an invalidation removes the token from the store, so that no process adopts it', async () => {
    const { a, b, platform, store, clock } = fleet();
    const dead = await a.settle(a.tokens.getTenantAccessToken());
    expect(storedToken(store)).toBe(dead);
    platform.revoke(dead);
    platform.latencyMs = 1_000;

    expect(await a.settle(a.tokens.invalidate(TENANT, dead))).toBe(true);
    expect(storedToken(store)).toBeUndefined();
    // A cold process starts just now, before the renewal is through.
    const cold = b.settle(b.tokens.getTenantAccessToken());
    expect(await cold).not.toBe(dead);
    await clock.advance(MINUTE);
    expect(storedToken(store)).toBe(await a.tokens.getTenantAccessToken());
    await a.close();
    await b.close();
  });

  it('#35 an invalidation keeps another token in the store', async () => {
    const { a, b, platform, store, clock } = fleet();
    const old = await a.settle(a.tokens.getTenantAccessToken());
    await b.settle(b.tokens.getTenantAccessToken());
    await clock.advance(RENEWAL_DUE_MS);
    const newer = (await b.settle(b.tokens.refresh(TENANT))).value;
    await clock.advance(0);
    expect(storedToken(store)).toBe(newer);
    platform.outage = { status: 503 };

    expect(await a.settle(a.tokens.invalidate(TENANT, old))).toBe(true);
    expect(storedToken(store)).toBe(newer);
    expect(await a.settle(a.tokens.getTenantAccessToken())).toBe(newer);
    await a.close();
    await b.close();
  });

  it.each([
    ['refuses', fail],
    ['forgets', () => Promise.resolve()],
    ['hangs over', hang],
  ])(
    '#35 a store that %s the removal does not bring the dead token back to this process',
    async (_, fault) => {
      const { a, platform, store, clock } = fleet();
      const dead = await a.settle(a.tokens.getTenantAccessToken());
      platform.revoke(dead);
      store.onSet = fault;

      expect(await a.settle(a.tokens.invalidate(TENANT, dead))).toBe(true);
      expect(storedToken(store)).toBe(dead);
      const next = await a.settle(a.tokens.getTenantAccessToken());
      expect(next).not.toBe(dead);
      // Once the store is well the dead token is replaced, though by the store's word it ends as late.
      store.recover();
      await clock.advance(10_000);
      const replacedBy = fault === fail || fault === hang ? next : dead;
      expect(storedToken(store)).toBe(replacedBy);
      await clock.advance(120 * MINUTE);
      const later = await a.settle(a.tokens.getTenantAccessToken());
      await clock.advance(10_000);
      expect(storedToken(store)).toBe(later);
      await a.close();
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('#35 a report about any value other than the held one changes nothing', async () => {
    const world = new TokenWorld({ lock: new InProcessRefreshLock({ clock: new TestClock() }) });
    const nothing = undefined as unknown as string;
    expect(await world.tokens.invalidate(TENANT, nothing)).toBe(false); // nothing is held yet
    const token = await world.settle(world.tokens.getTenantAccessToken());
    for (const value of ['', token.slice(0, -1), `${token} `, token.toUpperCase(), nothing]) {
      expect(await world.tokens.invalidate(TENANT, value)).toBe(false);
    }
    expect(await world.tokens.invalidate({ kind: 'app' }, token)).toBe(false);
    expect(world.tokens.handle(TENANT).peek()).toBe(token);
    expect(world.platform.tokenCalls).toBe(1);
    await world.close();
  });
});
