import { TestClock } from '../../lib/testing/test-clock.js';
import {
  granting,
  MINUTE,
  readEvery,
  REFRESH_AT,
  SECOND,
  SeededRandom,
  settledAtOnce,
  tenantMetrics,
  warmWorld,
} from '../fixtures/renewal.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe('odd answers of Feishu', () => {
  expectNoUnhandledRejections();

  const REFUSED: [string, string, unknown][] = [
    ['an expire of 0', 'other', 0],
    ['a negative expire', 'other', -5],
    ['an expire that is no number', 'other', 'NaN'],
    ['an expire of null', 'other', null],
    ['no expire', 'other', undefined],
    ['an empty token', '', 7_200],
    ['a token with a line break', 'a\r\nb', 7_200],
  ];

  it('#19 Feishu returns the same token: a no-op, no failure, no loop, and the renewal happens in time', async () => {
    const { world, first } = await warmWorld();
    world.platform.sameTokenMs = 5 * MINUTE; // not the 30 of the documentation
    await world.clock.advance(REFRESH_AT);

    await readEvery(SECOND, world, 20 * MINUTE);
    expect(await world.tokens.getTenantAccessToken()).toBe(first);
    const { refresh } = tenantMetrics(world);
    expect(refresh).toMatchObject({ success: 1, failure: 0, successRate: 1 });
    expect(refresh.noop).toBe(world.platform.calls.length - 1);
    // Once a minute; with less than 10 minutes left, after a tenth of that.
    for (const pause of pausesOf(world.platform.calls.slice(1))) {
      expect(pause).toBeGreaterThanOrEqual(30 * SECOND);
      expect(pause).toBeLessThanOrEqual(61 * SECOND);
    }

    await readEvery(SECOND, world, 2 * MINUTE);
    expect(await world.tokens.getTenantAccessToken()).not.toBe(first);
    expect(tenantMetrics(world).waits).toBe(1);
    expect(world.logged).toEqual([]);
  });

  it('#19 a refresh() that comes too early returns the same token, which is renewed at its original time', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(10 * MINUTE);
    const again = await world.settle(world.tokens.refresh(TENANT));
    expect(again.value).toBe(first);

    await readEvery(MINUTE, world, REFRESH_AT - 10 * MINUTE - 1);
    expect(world.platform.calls).toHaveLength(2);
    await readEvery(1, world, 2);
    expect(world.platform.calls).toHaveLength(3);
    expect(tenantMetrics(world).refresh).toMatchObject({ noop: 1, success: 2 });
  });

  it.each([
    ['earlier', 30 * 60, 30 * MINUTE],
    ['later', 115 * 60, 110 * MINUTE],
  ])('#19 the same token with an end that is %s: the earlier end counts', async (_, expire, remainingMs) => {
    const { world, first } = await warmWorld();
    await world.clock.advance(10 * MINUTE);
    world.platform.next(granting(first, expire));
    const { expiresAt } = await world.settle(world.tokens.refresh(TENANT));
    expect(Number(expiresAt) - world.clock.now()).toBe(remainingMs);
  });

  it.each([...REFUSED, ['a token that ends sooner than the one held', 'other', 60]])(
    '#20 a renewal that brings %s is refused, and the current token kept',
    async (_, value, expire) => {
      const { world, first } = await warmWorld();
      world.platform.next(granting(value, expire));
      await world.clock.advance(REFRESH_AT);
      await world.tokens.getTenantAccessToken();
      await TestClock.settle();

      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      expect(tenantMetrics(world).refresh).toMatchObject({
        success: 1,
        failuresByCode: { ERR_FEISHU_MALFORMED_RESPONSE: 1 },
      });
    },
  );

  it.each(REFUSED)('#20 without a held token, %s is a typed error', async (_, value, expire) => {
    const world = new TokenWorld();
    world.platform.next(granting(value, expire));
    const asked = world.settle(world.tokens.getTenantAccessToken());
    await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_MALFORMED_RESPONSE', retryable: true });
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
  });

  it('#20 a token that expired before its answer arrived is refused, and requested again', async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = 3 * SECOND;
    world.platform.next(granting('short-lived', 2));
    const value = await world.settle(world.tokens.getTenantAccessToken());
    expect(value).not.toBe('short-lived');
    expect(world.platform.tokenCalls).toBe(2);
  });

  it.each([2, 30, 90, 600, 1_800])(
    '#21 a life of %d s: windows in proportion, no constant renewing, no waiting',
    async (seconds) => {
      const world = new TokenWorld({ random: new SeededRandom(seconds) });
      const lifeMs = seconds * SECOND;
      world.platform.lifetimeMs = lifeMs;
      await world.settle(world.tokens.getTenantAccessToken());

      const step = lifeMs / 100;
      for (let elapsed = 0; elapsed < 10 * lifeMs; elapsed += step) {
        expect(world.platform.accepts((await settledAtOnce(world.tokens.getTenantAccessToken())) ?? '')).toBe(
          true,
        );
        await world.clock.advance(step);
      }

      expect(tenantMetrics(world).waits).toBe(1);
      // Each is renewed at 50 to 70 % of its life.
      expect(world.platform.calls.length).toBeGreaterThanOrEqual(10 / 0.72);
      expect(world.platform.calls.length).toBeLessThanOrEqual(10 / 0.5 + 1);
    },
  );
});

/** What lies between each call and the next. */
function pausesOf(calls: readonly { at: number }[]): number[] {
  return calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? NaN));
}
