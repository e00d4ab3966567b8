import { type TokenCache } from '../../lib/store/token-cache.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore } from '../fixtures/fake-store.js';
import { MINUTE } from '../fixtures/renewal.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe('a cache with two tiers', () => {
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

  it("#39 a token from the nearer tier ends at its own end, not at the end of the tier's record", async () => {
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

    // Feishu is down: b uses the token exactly to its end, also while the nearer tier still has it.
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

  it('#39 a token adopted by one process after another keeps the end that the first process stored', async () => {
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
