import {
  HOUR,
  MINUTE,
  prewarming,
  REFRESH_AT,
  renewingWorld,
  SECOND,
  settledAtOnce,
  warmWorld,
} from '../fixtures/renewal.js';
import { type TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const OUTAGE = { status: 503 };

describe('sweeps', () => {
  expectNoUnhandledRejections();

  it('#22 a tick during a sweep is skipped', async () => {
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

  it('#22 sweeps renew tokens that no caller reads, and go on after a failed renewal', async () => {
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

  it('#22 a tick that throws ends neither the process nor the interval', async () => {
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

  it('#23 a tenant without reads is not renewed after two hours, and gets a token at its next read', async () => {
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

  it("#23 the app's own token is renewed as long as the application runs", async () => {
    const { world } = await warmWorld();
    await prewarming(world);
    await world.clock.advance(24 * HOUR);
    const value = await settledAtOnce(world.tokens.getTenantAccessToken());
    expect(world.platform.accepts(value ?? '')).toBe(true);
    expect(world.platform.calls).toHaveLength(1 + Math.floor((24 * HOUR) / REFRESH_AT));
  });
});

function tokenOf({ tokens }: TokenWorld, tenantKey: string): ReturnType<TokenWorld['tokens']['handle']> {
  return tokens.handle({ kind: 'tenant', tenantKey });
}

function callsFor({ platform }: TokenWorld, tenantKey: string): number {
  return platform.calls.filter(({ body }) => body['tenant_key'] === tenantKey).length;
}
