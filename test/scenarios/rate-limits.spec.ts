import { TestClock } from '../../lib/testing/test-clock.js';
import { rejectionOf } from '../fixtures/observation.js';
import { SECOND } from '../fixtures/renewal.js';
import { type ScriptedAnswer } from '../fixtures/scripted-platform.js';
import { RENEWAL_DUE_MS } from '../fixtures/store-fleet.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe('a rate limit', () => {
  expectNoUnhandledRejections();

  const limits: readonly (readonly [string, ScriptedAnswer])[] = [
    ['HTTP 429', { status: 429, body: 'too many requests' }],
    ['HTTP 400 with code 99991400', { status: 400, code: 99991400 }],
    ['HTTP 200 with code 99991400', { code: 99991400 }],
  ];
  const waits: readonly (readonly [string, Record<string, string>, number])[] = [
    ['x-ogw-ratelimit-reset', { 'x-ogw-ratelimit-reset': '37' }, 37],
    ['a reset of 0, as 1 s', { 'x-ogw-ratelimit-reset': '0' }, 1],
    ['a reset far off, as 300 s', { 'x-ogw-ratelimit-reset': '86400' }, 300],
    ['Retry-After', { 'retry-after': '42' }, 42],
    ['the reset rather than Retry-After', { 'x-ogw-ratelimit-reset': '20', 'retry-after': '200' }, 20],
    ['Retry-After when the reset is none', { 'x-ogw-ratelimit-reset': 'soon', 'retry-after': '15' }, 15],
    ['Retry-After when the reset is empty', { 'x-ogw-ratelimit-reset': '', 'retry-after': '15' }, 15],
  ];
  const table = limits.flatMap(([limit, answer]) =>
    waits.map(([what, headers, seconds]) => [limit, what, { ...answer, headers }, seconds] as const),
  );

  it.each(table)('#53 %s without a held token pauses %s', async (_, __, answer, seconds) => {
    const world = new TokenWorld();
    world.platform.next(answer);
    const error = await rejectionOf(world.settle(world.tokens.getTenantAccessToken()));
    const startedAt = world.clock.monotonic();
    expect(error).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED', retryable: true });
    expect((error['retryAt'] as Date).getTime() - world.clock.now()).toBe(seconds * SECOND);
    expect(world.platform.tokenCalls).toBe(1); // and is not tried again within the flight

    await world.clock.advance(seconds * SECOND - 1);
    const fast = await rejectionOf(world.tokens.getTenantAccessToken());
    expect(fast).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED' });
    expect((fast['retryAt'] as Date).getTime()).toBe(world.clock.now() + 1);
    expect(await rejectionOf(world.tokens.refresh(TENANT))).toMatchObject({
      code: 'ERR_FEISHU_RATE_LIMITED',
    });
    expect(world.platform.tokenCalls).toBe(1);
    await world.clock.advance(1);
    await world.settle(world.tokens.getTenantAccessToken());
    expect(world.platform.calls.at(-1)?.at).toBe(startedAt + seconds * SECOND);
    await world.close();
  });

  it.each(table)(
    '#53 %s while a token is held serves that token and waits for %s',
    async (_, __, answer, seconds) => {
      const world = new TokenWorld();
      const token = await world.settle(world.tokens.getTenantAccessToken());
      await world.clock.advance(RENEWAL_DUE_MS);
      world.platform.next(answer);
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(2);

      for (let second = 1; second <= seconds; second++) {
        expect(world.tokens.handle(TENANT).peek()).toBe(token);
        await world.clock.advance(second < seconds ? SECOND : SECOND - 1);
      }
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(2);
      expect(await rejectionOf(world.tokens.refresh(TENANT))).toMatchObject({
        code: 'ERR_FEISHU_RATE_LIMITED',
      });
      expect(world.platform.tokenCalls).toBe(2);
      await world.clock.advance(1);
      expect(await world.tokens.getTenantAccessToken()).toBe(token);
      await TestClock.settle();
      expect(world.platform.tokenCalls).toBe(3);
      expect(await world.tokens.getTenantAccessToken()).not.toBe(token);
      await world.close();
    },
  );

  it('#53 a rate limit without a reset time is paced like a transient failure', async () => {
    const world = new TokenWorld();
    world.platform.next({ status: 429 });
    const error = await rejectionOf(world.settle(world.tokens.getTenantAccessToken()));
    expect((error['retryAt'] as Date).getTime() - world.clock.now()).toBe(0.75 * 500);
    await world.close();
  });
});
