import { TestClock } from '../../lib/testing/test-clock.js';
import { type RefreshLock } from '../../lib/lock/refresh-lock.js';
import { type RandomSource } from '../../lib/time/random-source.js';
import {
  DEAD_AT,
  failureOf,
  HOUR,
  MINUTE,
  MUST_AT,
  readEvery,
  REFRESH_AT,
  SECOND,
  SeededRandom,
  settledAtOnce,
  tenantMetrics,
  warmWorld,
} from '../fixtures/renewal.js';
import { FixedRandom, TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const OUTAGE = { status: 503 };

describe('failing renewals', () => {
  expectNoUnhandledRejections();

  it('#15 while another process holds the lock, this process looks into the store at growing intervals', async () => {
    const clock = new TestClock();
    const looks: number[] = [];
    const lock: RefreshLock = {
      acquire: async () => {
        looks.push(clock.monotonic());
        return undefined;
      },
    };
    const { world } = await warmWorld({ clock, lock, random: new FixedRandom(0.4) });
    await readEvery(SECOND / 2, world, MUST_AT - SECOND);
    // The first one was for the token that is held.
    const pauses = looks.slice(2).map((at, index) => at - (looks[index + 1] ?? 0));
    expect(pauses.slice(0, 6).map(Math.round)).toEqual([1_500, 3_000, 6_000, 11_500, 22_500, 42_000]);
    // Looking every second or two would be a thousand.
    expect(pauses.length).toBeLessThan(45);
    expect(world.platform.calls).toHaveLength(1);

    // In the last minute it is not left to others any more, and the next token is another matter.
    await readEvery(SECOND / 2, world, 3 * SECOND);
    expect(world.platform.calls).toHaveLength(2);
    looks.length = 0;
    await readEvery(SECOND / 2, world, REFRESH_AT + 2 * SECOND);
    expect(looks).toHaveLength(2);
  });

  it.each([
    ['HTTP 503', { status: 503 }, 'ERR_FEISHU_PLATFORM_UNAVAILABLE'],
    ['a reset connection', { throws: new TypeError('fetch failed') }, 'ERR_FEISHU_PLATFORM_UNAVAILABLE'],
    ['undefined thrown', { throws: undefined }, 'ERR_FEISHU_PLATFORM_UNAVAILABLE'],
    ['a rejected secret', { code: 10015 }, 'ERR_FEISHU_CREDENTIALS_REJECTED'],
  ])(
    '#12 a background failure (%s) is counted and logged, and the held token is served',
    async (_, answer, code) => {
      const { world, first } = await warmWorld();
      world.platform.next(answer);
      await world.clock.advance(REFRESH_AT);

      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      await TestClock.settle();

      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      expect(tenantMetrics(world).refresh).toMatchObject({
        attempts: world.platform.calls.length,
        success: 1,
        failure: 1,
        failuresByCode: { [code]: 1 },
      });
      expect(world.logged).toEqual([expect.stringContaining(code)]);
    },
  );

  it('#13 the renewal still fails when the token ends: waiting callers get a typed error, and later a token', async () => {
    const { world, first } = await warmWorld();
    world.platform.outage = OUTAGE;
    await world.clock.advance(REFRESH_AT);
    for (let at = REFRESH_AT; at < DEAD_AT; at += 10 * SECOND) {
      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      await world.clock.advance(10 * SECOND);
    }
    expect(tenantMetrics(world)).toMatchObject({ waits: 1, failedFast: 0 });

    const failure = await failureOf(world.settle(world.tokens.getTenantAccessToken()));
    expect(failure).toMatchObject({
      code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      retryable: true,
      retryAt: expect.anything(),
    });

    world.platform.outage = undefined;
    await world.clock.advance(15 * SECOND);
    await expect(world.settle(world.tokens.getTenantAccessToken())).resolves.not.toBe(first);
    expect(world.tokens.metrics().prewarm.late).toBe(1);
  });

  it("#13 a background flight that fails after the token's end does not make callers fail fast", async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(DEAD_AT - 2 * SECOND);
    world.platform.next({ hangs: true }); // for the 5 s that a request may take
    expect(world.tokens.handle(TENANT).peek()).toBe(first);
    await world.clock.advance(5 * SECOND);
    expect(tenantMetrics(world).refresh.failure).toBe(1);

    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
    await expect(world.settle(world.tokens.getTenantAccessToken())).resolves.not.toBe(first);
  });

  it('#14 a logger that throws fails neither the renewal nor the caller', async () => {
    const onLog = (): void => {
      throw new Error('the disk is full');
    };
    const { world, first } = await warmWorld({ onLog });
    world.platform.outage = OUTAGE;
    await world.clock.advance(REFRESH_AT);
    for (let elapsed = 0; elapsed < MINUTE; elapsed += SECOND) {
      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      await world.clock.advance(SECOND);
    }
    expect(tenantMetrics(world).refresh.failure).toBeGreaterThan(3);
    expect(world.logged).toEqual([expect.stringMatching(/^warn tenant_access_token: /)]);

    world.platform.outage = undefined;
    await world.clock.advance(MINUTE);
    world.tokens.handle(TENANT).peek();
    await TestClock.settle();
    await expect(world.tokens.getTenantAccessToken()).resolves.not.toBe(first);
    expect(world.logged[1]).toMatch(/renewed again/);
  });

  it('#14 a logger that throws does not replace the error of waiting callers', async () => {
    const world = new TokenWorld({
      onLog: () => {
        throw new Error('the disk is full');
      },
    });
    world.platform.outage = OUTAGE;
    const asked = world.settle(world.tokens.getTenantAccessToken());
    await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE' });
    expect(world.logged).toHaveLength(1);
  });

  it.each<[string, RandomSource]>([
    ['the least jitter', new FixedRandom(0)],
    ['the most jitter', new FixedRandom(0.999)],
    ['seed 1', new SeededRandom(1)],
    ['seed 2', new SeededRandom(2)],
    ['seed 3', new SeededRandom(3)],
    ['seed 4', new SeededRandom(4)],
  ])(
    '#15 an outage of 25 minutes at 200 reads a second: at most 56 attempts, with backoff (%s)',
    async (_, random) => {
      const { world, first } = await warmWorld({
        random,
        refresh: { aheadMs: [27 * MINUTE, 27 * MINUTE] },
      });
      const handle = world.tokens.handle(TENANT);
      await world.clock.advance(120 * MINUTE - 27 * MINUTE);
      world.platform.outage = OUTAGE;

      const served = new Set<string | undefined>();
      for (let elapsed = 0; elapsed < 25 * MINUTE; elapsed += 500) {
        for (let read = 0; read < 100; read++) served.add(handle.peek());
        await world.clock.advance(500);
      }

      expect([...served]).toEqual([first]);
      const attempts = world.platform.calls.slice(1);
      expect(attempts.length).toBeLessThanOrEqual(56);
      expect(attempts.length).toBeGreaterThan(20);
      expect(tenantMetrics(world).refresh.failure).toBe(attempts.length);
      pausesOf(attempts).forEach((pause, index) => {
        const longest = Math.min(60 * SECOND, SECOND * 2 ** index);
        expect(pause).toBeGreaterThanOrEqual(longest / 2);
        expect(pause).toBeLessThan(longest + 500); // reads come every half second
      });
    },
  );

  it('#15 jitter spreads the attempts of processes that fail at the same time', async () => {
    const attempts = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const { world } = await warmWorld({ random: new SeededRandom(seed) });
        world.platform.outage = OUTAGE;
        await world.clock.advance(REFRESH_AT);
        await readEvery(10, world, (5 * MINUTE) / 10);
        return world.platform.calls.at(-1)?.at;
      }),
    );
    expect(new Set(attempts).size).toBe(3);
  });

  it('#16 after the first background failure, further background attempts follow within the window', async () => {
    const { world, first } = await warmWorld();
    world.platform.next(OUTAGE);
    await world.clock.advance(REFRESH_AT);
    await readEvery(100, world, 700);
    expect(world.platform.calls).toHaveLength(2);

    await readEvery(100, world, 400); // 1 s, times 0.75 of jitter
    expect(world.platform.calls).toHaveLength(3);
    await expect(world.tokens.getTenantAccessToken()).resolves.not.toBe(first);
    expect(tenantMetrics(world).waits).toBe(1);
  });

  it('#16 a failure never postpones the next attempt past mustAt', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(MUST_AT - 30 * SECOND);
    world.platform.next({ code: 99991400, status: 400, headers: { 'x-ogw-ratelimit-reset': '300' } });
    await readEvery(SECOND, world, 29 * SECOND);
    expect(world.platform.calls).toHaveLength(2);

    await readEvery(SECOND, world, 2 * SECOND);
    expect(world.platform.calls).toHaveLength(3);
    expect(tenantMetrics(world).refresh).toMatchObject({ success: 2, failure: 1 });
  });

  it('#17 a background success resets the backoff', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await readEvery(SECOND, world, MINUTE);
    expect(tenantMetrics(world).refresh.success).toBe(2);

    await world.clock.advance(REFRESH_AT - MINUTE / 2);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 a successful refresh() resets the backoff', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await world.settle(world.tokens.refresh(TENANT));

    await world.clock.advance(REFRESH_AT);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 a success that a caller waited for resets the backoff', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await world.clock.advance(HOUR);
    await world.settle(world.tokens.getTenantAccessToken());

    await world.clock.advance(REFRESH_AT);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 a success resets the pauses of failing fast', async () => {
    const world = new TokenWorld();
    const pauseOfTheFirstFailure = 375; // 0.5 s, times 0.75 of jitter
    for (const _ of [1, 2]) {
      world.platform.outage = OUTAGE;
      await failureOf(world.settle(world.tokens.getTenantAccessToken()));
      const retryAt = world.clock.now() + pauseOfTheFirstFailure;
      const refused = await failureOf(world.tokens.getTenantAccessToken());
      expect(Number((refused as { retryAt?: Date }).retryAt)).toBeLessThanOrEqual(retryAt);
      world.platform.outage = undefined;
      await world.clock.advance(pauseOfTheFirstFailure);
      await world.tokens.getTenantAccessToken();
      await world.clock.advance(2 * HOUR);
    }
  });
});

/** What lies between each call and the next. */
function pausesOf(calls: readonly { at: number }[]): number[] {
  return calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? NaN));
}

async function failFor(world: TokenWorld, durationMs: number): Promise<void> {
  world.platform.outage = OUTAGE;
  await readEvery(SECOND, world, durationMs);
  world.platform.outage = undefined;
}

/** The second attempt of an outage that begins now comes within a second. */
async function expectFirstPauseOfAnOutage(world: TokenWorld): Promise<void> {
  const before = world.platform.calls.length;
  world.platform.outage = OUTAGE;
  await readEvery(50, world, SECOND);
  expect(world.platform.calls.length - before).toBe(2);
}
