import { TestClock } from '../../lib/testing/test-clock.js';
import { type RefreshLock } from '../../lib/lock/refresh-lock.js';
import { type RandomSource } from '../../lib/time/random-source.js';
import { fleetShared } from '../fixtures/fleet.js';
import {
  DEAD_AT,
  failureOf,
  granting,
  HOUR,
  MINUTE,
  MUST_AT,
  prewarming,
  readEvery,
  REFRESH_AT,
  renewingWorld,
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

describe('B. Proactive refresh', () => {
  expectNoUnhandledRejections();

  it('#11 in the window callers get the current token at once, and one background renewal runs', async () => {
    const { world, first } = await warmWorld();
    world.platform.latencyMs = 2 * SECOND;
    await world.clock.advance(REFRESH_AT);

    for (let read = 0; read < 100; read++) {
      expect(await settledAtOnce(world.tokens.getTenantAccessToken())).toBe(first);
      expect((await settledAtOnce(world.tokens.getToken(TENANT)))?.source).toBe('memory');
      expect(world.tokens.handle(TENANT).peek()).toBe(first);
    }
    await TestClock.settle();
    expect(world.platform.calls).toHaveLength(2);
    expect(world.tokens.metrics().lock).toMatchObject({ acquired: 2, contended: 0 });
    expect(tenantMetrics(world)).toMatchObject({ hits: 300, staleServed: 300, waits: 1 });

    await world.clock.advance(2 * SECOND);
    expect(await settledAtOnce(world.tokens.getTenantAccessToken())).not.toBe(first);
    expect(world.platform.calls).toHaveLength(2);
    expect(tenantMetrics(world)).toMatchObject({ hits: 301, staleServed: 300, waits: 1 });
  });

  it('#15 leaves a renewal that another process has under way to it, and looks ever less often what came of it', async () => {
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
    '#12 a background failure (%s) is counted and logged, and the token still served',
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

  it('#13 the renewal still fails when the token dies: a typed error for who waits, then recovery', async () => {
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

  it('#13 a background flight that fails after the death of the token makes nobody fail fast', async () => {
    const { world, first } = await warmWorld();
    await world.clock.advance(DEAD_AT - 2 * SECOND);
    world.platform.next({ hangs: true }); // for the 5 s that a request may take
    expect(world.tokens.handle(TENANT).peek()).toBe(first);
    await world.clock.advance(5 * SECOND);
    expect(tenantMetrics(world).refresh.failure).toBe(1);

    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
    await expect(world.settle(world.tokens.getTenantAccessToken())).resolves.not.toBe(first);
  });

  it('#14 a logger that throws is asked once, and fails neither renewal nor caller', async () => {
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

  it('#14 a logger that throws does not replace the error of who waits', async () => {
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
    '#15 25 minutes of outage in the window at 200 rps: at most 56 attempts, backing off (%s)',
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

  it('#15 jitter spreads the attempts of processes that fail together', async () => {
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

  it('#16 the first background failure does not end renewing ahead for the rest of the window', async () => {
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

  it('#16 no failure puts the next attempt past the time when the token must be renewed', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(MUST_AT - 30 * SECOND);
    world.platform.next({ code: 99991400, status: 400, headers: { 'x-ogw-ratelimit-reset': '300' } });
    await readEvery(SECOND, world, 29 * SECOND);
    expect(world.platform.calls).toHaveLength(2);

    await readEvery(SECOND, world, 2 * SECOND);
    expect(world.platform.calls).toHaveLength(3);
    expect(tenantMetrics(world).refresh).toMatchObject({ success: 2, failure: 1 });
  });

  it('#17 backoff starts anew after a background success', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await readEvery(SECOND, world, MINUTE);
    expect(tenantMetrics(world).refresh.success).toBe(2);

    await world.clock.advance(REFRESH_AT - MINUTE / 2);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 backoff starts anew after a success that was asked for', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await world.settle(world.tokens.refresh(TENANT));

    await world.clock.advance(REFRESH_AT);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 backoff starts anew after a success that somebody waited for', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    await failFor(world, 5 * MINUTE);
    await world.clock.advance(HOUR);
    await world.settle(world.tokens.getTenantAccessToken());

    await world.clock.advance(REFRESH_AT);
    await expectFirstPauseOfAnOutage(world);
  });

  it('#17 failing fast starts anew after a success', async () => {
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

  it('#18 1,000,000 reads do not pull the renewal ahead', async () => {
    const world = new TokenWorld({ random: new SeededRandom(18) });
    await world.settle(world.tokens.getTenantAccessToken());
    const handle = world.tokens.handle(TENANT);
    const drawn = refreshAtOf(world);

    for (let read = 0; read < 1_000_000; read++) handle.peek();
    await readEvery(MINUTE, world, 90 * MINUTE);
    await readEvery(SECOND, world, drawn - world.clock.now() - 1_000);
    await world.clock.advance(drawn - world.clock.now() - 1);
    handle.peek();
    await TestClock.settle();
    expect(refreshAtOf(world)).toBe(drawn);
    expect(world.platform.calls).toHaveLength(1);

    await world.clock.advance(1);
    handle.peek();
    await TestClock.settle();
    expect(world.platform.calls).toHaveLength(2);
  });

  it('#18 the same token again keeps its draw; another token and another process have their own', async () => {
    const shared = fleetShared();
    const worlds = [1, 2, 3].map((seed) => new TokenWorld({ ...shared, random: new SeededRandom(seed) }));
    for (const world of worlds) await world.settle(world.tokens.getTenantAccessToken());
    const drawn = worlds.map(refreshAtOf);
    expect(shared.platform.calls).toHaveLength(1);
    expect(new Set(drawn).size).toBe(3);

    const [world] = worlds as [TokenWorld];
    await world.settle(world.tokens.refresh(TENANT));
    expect(refreshAtOf(world)).toBe(drawn[0]);

    const { expiresAt } = await world.tokens.getToken(TENANT);
    await shared.clock.advance(100 * MINUTE);
    const next = await world.settle(world.tokens.refresh(TENANT));
    expect(Number(next.expiresAt) - refreshAtOf(world)).not.toBe(Number(expiresAt) - Number(drawn[0]));
  });

  it('#19 the same token again is a no-op: no failure, no loop, and the renewal comes in time', async () => {
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

  it('#19 asked for a renewal too early, the same token comes back and is renewed when it would have been', async () => {
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
  ])(
    '#19 the same token with an end that is %s: the earlier of the two holds',
    async (_, expire, remainingMs) => {
      const { world, first } = await warmWorld();
      await world.clock.advance(10 * MINUTE);
      world.platform.next(granting(first, expire));
      const { expiresAt } = await world.settle(world.tokens.refresh(TENANT));
      expect(Number(expiresAt) - world.clock.now()).toBe(remainingMs);
    },
  );

  const REFUSED: [string, string, unknown][] = [
    ['an expire of 0', 'other', 0],
    ['a negative expire', 'other', -5],
    ['an expire that is no number', 'other', 'NaN'],
    ['an expire of null', 'other', null],
    ['no expire', 'other', undefined],
    ['an empty token', '', 7_200],
    ['a token with a line break', 'a\r\nb', 7_200],
  ];

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

  it.each(REFUSED)('#20 without a token held, %s is a typed error', async (_, value, expire) => {
    const world = new TokenWorld();
    world.platform.next(granting(value, expire));
    const asked = world.settle(world.tokens.getTenantAccessToken());
    await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_MALFORMED_RESPONSE', retryable: true });
    expect(world.tokens.handle(TENANT).peek()).toBeUndefined();
  });

  it('#20 a token that has ended by the time the answer is here is refused, and asked for again', async () => {
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

  it('#22 a tick that comes while the last sweep runs is left out', async () => {
    const { world } = await warmWorld();
    await world.clock.advance(REFRESH_AT);
    world.platform.latencyMs = 3_500;
    await prewarming(world, { intervalMs: SECOND });

    await world.clock.advance(4 * SECOND);
    expect(world.platform.calls).toHaveLength(2);
    expect(world.tokens.metrics().prewarm).toMatchObject({ sweeps: 0, skipped: 3 });

    await world.clock.advance(SECOND);
    expect(world.tokens.metrics().prewarm).toMatchObject({ sweeps: 2, skipped: 3, refreshed: 1, failed: 0 });
    expect(world.platform.calls).toHaveLength(2);
  });

  it('#22 sweeps renew without any reader, and a failing renewal does not end them', async () => {
    const { world, first } = await warmWorld();
    await prewarming(world, { intervalMs: 30 * SECOND });
    await world.clock.advance(REFRESH_AT - MINUTE);
    world.platform.outage = OUTAGE;
    await world.clock.advance(10 * MINUTE);
    expect(world.tokens.metrics().prewarm).toMatchObject({ refreshed: 0 });
    expect(world.tokens.metrics().prewarm.failed).toBeGreaterThan(5);

    world.platform.outage = undefined;
    await world.clock.advance(2 * MINUTE);
    expect(world.tokens.metrics().prewarm).toMatchObject({ refreshed: 1 });
    expect(await settledAtOnce(world.tokens.getTenantAccessToken())).not.toBe(first);
  });

  it('#22 a tick that throws ends neither the process nor the schedule', async () => {
    const { world, first } = await warmWorld();
    const { sweeper } = world.engine;
    await prewarming(world, { intervalMs: 30 * SECOND });
    sweeper.due = () => {
      throw new Error('a bug of ours');
    };
    await world.clock.advance(REFRESH_AT);
    Reflect.deleteProperty(sweeper, 'due');

    await world.clock.advance(MINUTE);
    expect(await settledAtOnce(world.tokens.getTenantAccessToken())).not.toBe(first);
  });

  it('#23 a tenant that nobody asks for is renewed no more after two hours, and can come back', async () => {
    const world = renewingWorld({ appType: 'store' });
    const { tokens, clock } = world;
    await world.engine.tickets.set('ticket-1');
    const [busy, idle] = [tokenOf(world, 'busy'), tokenOf(world, 'idle')];
    await Promise.all([busy.get(), idle.get()]);
    await prewarming(world);

    for (let elapsed = 0; elapsed < 24 * HOUR; elapsed += 10 * MINUTE) {
      await clock.advance(10 * MINUTE);
      expect(busy.peek()).toBeDefined();
    }

    // The first, and the one renewal within two hours of the last read.
    expect(callsFor(world, 'idle')).toBe(2);
    expect(callsFor(world, 'busy')).toBeGreaterThanOrEqual(24 / 2);
    expect(tokens.metrics().kinds.tenant).toMatchObject({ waits: 2, tokens: 1 });

    expect(idle.peek()).toBeUndefined();
    await expect(idle.get()).resolves.toContain('idle');
    expect(callsFor(world, 'idle')).toBe(3);
    expect(tokens.metrics().kinds.tenant.tokens).toBe(2);
  });

  it("#23 the app's own token is kept warm for as long as the application runs", async () => {
    const { world } = await warmWorld();
    await prewarming(world);
    await world.clock.advance(24 * HOUR);
    const value = await settledAtOnce(world.tokens.getTenantAccessToken());
    expect(world.platform.accepts(value ?? '')).toBe(true);
    expect(world.platform.calls).toHaveLength(1 + Math.floor((24 * HOUR) / REFRESH_AT));
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

/** When `world` will renew the token it holds, by its wall clock. */
function refreshAtOf({ engine }: TokenWorld): number {
  return engine.reader.slotOf(TENANT).kept?.refreshAt ?? NaN;
}

function tokenOf({ tokens }: TokenWorld, tenantKey: string): ReturnType<TokenWorld['tokens']['handle']> {
  return tokens.handle({ kind: 'tenant', tenantKey });
}

function callsFor({ platform }: TokenWorld, tenantKey: string): number {
  return platform.calls.filter(({ body }) => body['tenant_key'] === tenantKey).length;
}
