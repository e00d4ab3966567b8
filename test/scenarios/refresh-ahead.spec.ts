import { TestClock } from '../../lib/testing/test-clock.js';
import { fleetShared } from '../fixtures/fleet.js';
import {
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

describe('renewal ahead of the end', () => {
  expectNoUnhandledRejections();

  it('#11 within the refresh-ahead window, callers get the current token at once, and one background renewal runs', async () => {
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

  it('#18 1,000,000 reads do not start the renewal earlier', async () => {
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

  it('#18 the draw is the same for the same token, and differs for another token and another process', async () => {
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
});

/** When `world` will renew the token it holds, by its wall clock. */
function refreshAtOf({ engine }: TokenWorld): number {
  return engine.reader.slotOf(TENANT).kept?.refreshAt ?? NaN;
}
