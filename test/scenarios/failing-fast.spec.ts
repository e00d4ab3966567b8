import { TestClock } from '../../lib/testing/test-clock.js';

import { healthOf, rejectionOf } from '../fixtures/observation.js';
import { SECOND } from '../fixtures/renewal.js';
import { RENEWAL_DUE_MS } from '../fixtures/store-fleet.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe('failing fast', () => {
  expectNoUnhandledRejections();

  const STEP_MS = 50;

  /** Asks 200 times a second for `ms`, and tells what came back and how many probes there were at a time. */
  async function hammer(world: TokenWorld, ms: number) {
    const asked: { at: number; failedAt: number; error: Error & { code?: string; retryAt?: Date } }[] = [];
    const until = world.clock.monotonic() + ms;
    while (world.clock.monotonic() < until) {
      const at = world.clock.monotonic();
      for (let caller = 0; caller < 10; caller++) {
        world.tokens.getTenantAccessToken().then(
          () => undefined,
          (error: Error) => asked.push({ at, failedAt: world.clock.monotonic(), error }),
        );
      }
      await world.clock.advance(STEP_MS);
    }
    await world.clock.advance(2 * SECOND); // the flight under way
    return asked;
  }

  it('#52 Feishu down, no token, 200 requests a second: callers fail fast, with one probe at a time', async () => {
    const clock = new TestClock();
    let underWay = 0;
    let most = 0;
    const starts: number[] = [];
    const fetch: typeof globalThis.fetch = async () => {
      starts.push(clock.monotonic());
      most = Math.max(most, ++underWay);
      await clock.sleep(100);
      underWay--;
      throw new TypeError('fetch failed');
    };
    const world = new TokenWorld({ clock, fetch });
    const asked = await hammer(world, 60 * SECOND);

    expect(asked).toHaveLength(60 * 200);
    expect(most).toBe(1);
    // A flight is three requests 200 and 600 ms apart; between two flights there are 0.5 s doubling to 15 s, jittered.
    const pauses = starts.slice(1).map((start, index) => start - (starts[index] ?? 0) - 100);
    const between = pauses.filter((_, index) => index % 3 === 2);
    expect(pauses.filter((_, index) => index % 3 === 0).every((pause) => pause === 200)).toBe(true);
    expect(pauses.filter((_, index) => index % 3 === 1).every((pause) => pause === 600)).toBe(true);
    expect(between.length).toBeGreaterThanOrEqual(6);
    const jitter = 0.75; // the middle of U(0.5, 1), as FixedRandom has it
    for (const [index, pause] of between.entries()) {
      const expected = jitter * Math.min(15 * SECOND, 500 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(expected);
      expect(pause).toBeLessThanOrEqual(expected + STEP_MS); // until the next caller comes along
    }
    const { kinds } = world.tokens.metrics();
    expect(kinds.tenant.refresh.attempts).toBe(starts.length);
    expect(kinds.tenant.failedFast + kinds.tenant.waits).toBe(asked.length);

    const fast = asked.filter(({ at, failedAt }) => at === failedAt);
    expect(fast).toHaveLength(kinds.tenant.failedFast);
    expect(new Set(fast.map(({ error }) => error)).size).toBe(fast.length);
    for (const { error, failedAt } of asked) {
      expect(error.code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
      const waitMs = Number(error.retryAt?.getTime()) - (clock.now() - clock.monotonic() + failedAt);
      if (!(waitMs > 0 && waitMs <= 15 * SECOND)) throw new Error(`retryAt is ${waitMs} ms from now`);
    }
    expect(world.logged).toHaveLength(1);
    expect(await healthOf(world)).toMatchObject({ status: 'down' });

    // Each caller gets a new error.
    const first = await rejectionOf(world.tokens.getTenantAccessToken());
    expect(first).not.toBe(await rejectionOf(world.tokens.getTenantAccessToken()));
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('#52 Feishu answers again: the next probe serves all callers, and health is up', async () => {
    const world = new TokenWorld();
    world.platform.outage = { throws: new TypeError('fetch failed') };
    await hammer(world, 10 * SECOND);
    world.platform.recover();
    const { retryAt } = await rejectionOf(world.tokens.getTenantAccessToken());
    await world.clock.advance((retryAt as Date).getTime() - world.clock.now());
    const values = await Promise.all(Array.from({ length: 100 }, () => world.tokens.getTenantAccessToken()));
    expect(new Set(values).size).toBe(1);
    expect(await healthOf(world)).toMatchObject({ status: 'up' });
    expect(world.logged).toHaveLength(2); // that it failed, that it is well again
    await world.close();
  });

  it('#52 a wrong secret: one probe a minute, one log line, health down', async () => {
    const world = new TokenWorld();
    world.platform.outage = { code: 10015 };
    const asked = await hammer(world, 150 * SECOND);

    expect(new Set(asked.map(({ error }) => error.code))).toEqual(
      new Set(['ERR_FEISHU_CREDENTIALS_REJECTED']),
    );
    expect(asked.every(({ error }) => !(error as { retryable?: boolean }).retryable)).toBe(true);
    const starts = world.platform.calls.map(({ at }) => at);
    expect(starts).toHaveLength(3);
    for (const [index, start] of starts.slice(1).entries()) {
      expect(start - (starts[index] ?? 0)).toBeGreaterThanOrEqual(60 * SECOND);
      expect(start - (starts[index] ?? 0)).toBeLessThanOrEqual(60 * SECOND + STEP_MS);
    }
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatch(/^error .*ERR_FEISHU_CREDENTIALS_REJECTED/);
    expect(await healthOf(world)).toMatchObject({
      status: 'down',
      kinds: { tenant: { lastError: { code: 'ERR_FEISHU_CREDENTIALS_REJECTED' } } },
    });
    // refresh() does not shorten the pause.
    const calls = world.platform.tokenCalls;
    expect(await rejectionOf(world.tokens.refresh(TENANT))).toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
    });
    expect(world.platform.tokenCalls).toBe(calls);

    world.platform.recover();
    await world.clock.advance(60 * SECOND);
    await world.settle(world.tokens.getTenantAccessToken());
    expect(await healthOf(world)).toMatchObject({ status: 'up' });
    await world.close();
  });

  it('#52 a secret that becomes wrong: the held token is still served', async () => {
    const world = new TokenWorld();
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await world.clock.advance(RENEWAL_DUE_MS);
    world.platform.outage = { code: 10015 };
    for (let second = 0; second < 300; second++) {
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await world.clock.advance(SECOND);
    }
    expect(world.platform.tokenCalls).toBe(1 + 5);
    expect(world.logged).toHaveLength(1);
    // Not 'degraded': terminus 11 has no third state.
    expect(await healthOf(world)).toMatchObject({
      reason: expect.stringContaining("rejects the app's credentials"),
    });
    await world.close();
  });
});
