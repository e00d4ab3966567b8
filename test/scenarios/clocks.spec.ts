import { jest } from '@jest/globals';
import { InProcessRefreshLock } from '../../lib/lock/in-process-refresh-lock.js';
import { type RefreshLease, type RefreshLockOptions } from '../../lib/lock/refresh-lock.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { SystemClock } from '../../lib/time/system-clock.js';
import {
  callsOfOneRead,
  DEAD_AT,
  granting,
  HOUR,
  MINUTE,
  MUST_AT,
  readEvery,
  REFRESH_AT,
  renewingWorld,
  SECOND,
  settledAtOnce,
  tenantMetrics,
  warmWorld,
  worldBehind,
} from '../fixtures/renewal.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const OUTAGE = { status: 503 };

describe('C. Expiry, clocks, sleep', () => {
  expectNoUnhandledRejections();

  it('#24 the renewal begins at refreshAt, not a millisecond before', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT - 1);
    expect(await callsOfOneRead(world)).toBe(0);
    expect(tenantMetrics(world).staleServed).toBe(0);
    await world.clock.advance(1);
    expect(await callsOfOneRead(world)).toBe(1);
    expect(tenantMetrics(world).staleServed).toBe(1);
  });

  it('#24 a token is served until 10 s before its end, not a millisecond longer', async () => {
    const { world, first } = await warmWorld();
    world.platform.outage = OUTAGE;
    await world.clock.advance(DEAD_AT - 1);
    expect(world.tokens.handle(TENANT).peek()).toBe(first);
    expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
    await world.clock.advance(1);
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
    const asked = world.settle(world.tokens.getTenantAccessToken());
    await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE' });
  });

  it.each([
    [MUST_AT - 1, 'leaves the work to whoever has the lock', 0],
    [MUST_AT, 'waits for the lock', 2 * SECOND],
  ])('#24 %d ms after the request, a renewal %s', async (at, _, waitMs) => {
    const clock = new TestClock();
    const lock = new WatchedLock({ clock });
    const { world } = await warmWorld({ clock, lock });
    await clock.advance(at);
    expect(await callsOfOneRead(world)).toBe(1);
    expect(lock.waits).toEqual([2 * SECOND, waitMs]);
  });

  it('#25 after a sleep past its end, the dead token is not returned, although no timer fired', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(10 * MINUTE);
    world.clock.suspend(3 * HOUR);

    expect(world.platform.accepts(first)).toBe(false);
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
    const value = await world.settle(world.tokens.getTenantAccessToken());
    expect(world.platform.accepts(value)).toBe(true);
    expect(world.platform.calls).toHaveLength(2);
  });

  it('#25 after a sleep into the refresh-ahead window, the token is served and renewed', async () => {
    const { world, first } = await warmWorld();
    world.clock.suspend(REFRESH_AT);
    expect(world.tokens.handle(TENANT).peek()).toBe(first);
    await TestClock.settle();
    expect(await settledAtOnce(world.tokens.getTenantAccessToken())).not.toBe(first);
  });

  it('#25 a token whose answer arrived during a sleep past its end is not held, and requested again', async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = SECOND;
    world.platform.next(granting('slept-through', 7_200));
    const asked = world.tokens.getTenantAccessToken();
    await TestClock.settle();
    world.clock.suspend(3 * HOUR);
    expect(await world.settle(asked)).not.toBe('slept-through');
    expect(world.platform.tokenCalls).toBe(2);
  });

  it('#26 the wall clock jumps forward within the life: at most one more renewal', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(40 * MINUTE);
    world.clock.jumpWall(HOUR); // 20 of its 80 minutes seem to be left
    expect(await readEvery(SECOND, world, 40 * MINUTE)).toEqual([first]);

    expect(world.platform.calls).toHaveLength(2);
    expect(tenantMetrics(world)).toMatchObject({ waits: 1, refresh: { noop: 1, failure: 0 } });
    // 25 minutes before its true end it is renewed as usual.
    await readEvery(SECOND, world, 20 * MINUTE);
    expect(world.platform.calls).toHaveLength(3);
    await expect(world.tokens.getTenantAccessToken()).resolves.not.toBe(first);
  });

  it('#26 the wall clock jumps forward past the end: one renewal, which returns the same token', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(40 * MINUTE);
    world.clock.jumpWall(3 * HOUR);
    expect(await world.settle(world.tokens.getTenantAccessToken())).toBe(first);
    expect(await readEvery(SECOND, world, 50 * MINUTE)).toEqual([first]);
    expect(world.platform.calls).toHaveLength(2);
  });

  it('#26 the wall clock jumps back: the token ends by the monotonic clock', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(10 * MINUTE);
    world.clock.jumpWall(-HOUR);
    await world.clock.advance(REFRESH_AT - 10 * MINUTE - 1);
    expect(await callsOfOneRead(world)).toBe(0);
    world.platform.outage = OUTAGE;
    await world.clock.advance(1);
    expect(await callsOfOneRead(world)).toBe(1);

    await world.clock.advance(DEAD_AT - REFRESH_AT - 1);
    expect(world.tokens.handle(TENANT).peek()).toBe(first);
    await world.clock.advance(1);
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
  });

  it('#26 the wall clock jumps back and forth all day: no dead token is served, and renewals stay few', async () => {
    const { world } = await warmWorld();
    for (let jump = 0; jump < 24; jump++) {
      world.clock.jumpWall(jump % 2 === 0 ? -HOUR : HOUR);
      await readEvery(30 * SECOND, world, HOUR);
    }
    // 24 hours are 15 to 16 renewals; each jump costs at most one.
    expect(world.platform.calls.length).toBeLessThanOrEqual(16 + 24);
    expect(tenantMetrics(world)).toMatchObject({ waits: 1, refresh: { failure: 0 } });
  });

  it.each([-10, 10])('#27 a local clock that is %d minutes wrong changes nothing', async (minutes) => {
    const serverTime = Date.UTC(2026, 0, 1);
    const clock = new TestClock(serverTime + minutes * MINUTE);
    const world = worldBehind(
      (platform) =>
        async (...request) => {
          const response = await platform.fetch(...request);
          response.headers.set('date', new Date(serverTime + clock.monotonic()).toUTCString());
          return response;
        },
      { clock },
    );
    await world.settle(world.tokens.getTenantAccessToken());

    expect(await readEvery(30 * SECOND, world, 6 * HOUR)).toHaveLength(4);
    expect(world.platform.calls).toHaveLength(4);
    expect(tenantMetrics(world)).toMatchObject({ waits: 1, refresh: { success: 4 } });
  });

  it("#28 a token's end counts from its request, also with a slow answer", async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = 4 * SECOND;
    const askedAt = world.clock.now();
    const token = await world.settle(world.tokens.getToken(TENANT));
    expect(world.clock.now() - askedAt).toBeGreaterThanOrEqual(4 * SECOND);
    expect(Number(token.obtainedAt)).toBe(askedAt);
    expect(Number(token.expiresAt)).toBe(askedAt + 2 * HOUR);
  });

  it('#28 a token also ends two hours after its request by the monotonic clock', async () => {
    const world = renewingWorld();
    world.platform.latencyMs = 4 * SECOND;
    const asked = world.tokens.getTenantAccessToken();
    await world.clock.advance(4 * SECOND);
    const value = await asked;

    world.clock.jumpWall(-HOUR);
    world.platform.outage = OUTAGE;
    await world.clock.advance(DEAD_AT - 4 * SECOND - 1);
    expect(world.tokens.handle(TENANT).peek()).toBe(value);
    await world.clock.advance(1);
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
  });

  it('#28 the end also counts from the request in a background renewal of 10 s', async () => {
    const { world } = await warmWorld({ refresh: { requestTimeoutMs: 15 * SECOND } });
    await world.clock.advance(REFRESH_AT);
    world.platform.latencyMs = 10 * SECOND;
    const askedAt = world.clock.now();
    await callsOfOneRead(world);
    await world.clock.advance(10 * SECOND);
    const { expiresAt } = await world.tokens.getToken(TENANT);
    expect(Number(expiresAt)).toBe(askedAt + 2 * HOUR);
  });

  it.each([2 ** 31, 30 * 24 * HOUR, Infinity])(
    '#29 a delay of %d ms is clamped, not fired at once',
    (delay) => {
      const spies = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'setInterval')];
      const clock = new SystemClock();
      const timers = [clock.setTimeout(() => undefined, delay), clock.setInterval(() => undefined, delay)];
      const given = spies.map(({ mock }) => mock.lastCall?.[1]);
      for (const timer of timers) timer.cancel();
      for (const spy of spies) spy.mockRestore();
      expect(given).toEqual([2 ** 31 - 1, 2 ** 31 - 1]);
    },
  );
});

/** Writes down how long each flight was ready to wait. */
class WatchedLock extends InProcessRefreshLock {
  readonly waits: number[] = [];

  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    this.waits.push(options.waitMs);
    return super.acquire(key, options);
  }
}
