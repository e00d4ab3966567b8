import { type TestingModule } from '@nestjs/testing';
import {
  AppTicketService,
  getFeishuServiceToken,
  type PrewarmOptions,
  TokenPrewarmer,
  TokenService,
} from '../lib/index.js';
import { TestClock } from '../lib/testing/index.js';
import { closeApps } from './fixtures/close-apps.js';
import { type InstanceOptions, PrewarmedApps } from './fixtures/prewarmed-apps.js';
import { ScriptedPlatform } from './fixtures/scripted-platform.js';

const MINUTE = 60_000;

const apps = new PrewarmedApps();

describe('a sweep', () => {
  let clock: TestClock;
  let platform: ScriptedPlatform;
  /** Requests for tokens under way, and the most there ever were. */
  let underWay: number;
  let most: number;

  beforeEach(() => {
    clock = new TestClock();
    platform = new ScriptedPlatform(clock);
    underWay = 0;
    most = 0;
  });
  afterEach(async () => {
    const closing = closeApps(apps.running);
    await clock.advance(1_000);
    await closing;
    await clock.advance(10_000);
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(clock.pendingTimers).toBe(0);
  });

  const counting: typeof globalThis.fetch = async (...request) => {
    most = Math.max(most, ++underWay);
    try {
      return await platform.fetch(...request);
    } finally {
      underWay--;
    }
  };

  /** An application on the test's clock; its first sweep is due after `intervalMs`, by default never in these tests. */
  async function startApp(
    options: InstanceOptions = {},
    prewarm: PrewarmOptions = {},
  ): Promise<TestingModule> {
    const defaults = { intervalMs: 1_259_999, onBootstrap: 'off' as const };
    return apps.start({
      instances: [{ fetch: counting, prewarm: { ...defaults, ...prewarm }, ...options }],
      clock,
    });
  }

  /** A store app that holds the tokens of so many tenants. */
  async function startStoreApp(tenants: number, prewarm: PrewarmOptions = {}): Promise<TestingModule> {
    const app = await startApp({ appType: 'store' }, prewarm);
    await app.get(AppTicketService).set(platform.ticket);
    const keys = Array.from({ length: tenants }, (_, i) => `tenant_${i}`);
    await Promise.all(keys.map((tenantKey) => app.get(TokenService).getTenantAccessToken({ tenantKey })));
    most = 0;
    return app;
  }

  async function settled<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    void work.finally(() => (isOver = true));
    for (let i = 0; !isOver && i < 2_000; i++) await clock.advance(50);
    return work;
  }

  it('renews the tokens that are due before a caller has to wait, and no fresh one', async () => {
    const app = await startApp();
    const tokens = app.get(TokenService);
    const first = await tokens.getTenantAccessToken();
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
    await clock.advance(99 * MINUTE);
    const calls = platform.tokenCalls;
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 1, failed: 0, dropped: 0 });
    expect(platform.tokenCalls).toBe(calls + 1);
    expect(tokens.handle({ kind: 'tenant' }).peek()).not.toBe(first);
    expect(tokens.metrics().prewarm).toMatchObject({ refreshed: 1, failed: 0, late: 0, skipped: 0 });
    expect(tokens.metrics().prewarm.lastSweepAt).toBe(new Date(clock.now()).toISOString());
    expect(tokens.metrics().kinds.tenant.waits).toBe(1);
  });

  it('runs at every interval, so that no caller ever waits', async () => {
    const app = await startApp({}, { intervalMs: 30_000 });
    const tokens = app.get(TokenService);
    await tokens.getTenantAccessToken();
    for (let i = 0; i < 12; i++) {
      await clock.advance(40 * MINUTE);
      expect(platform.accepts(await tokens.getTenantAccessToken())).toBe(true);
    }
    const { prewarm, kinds } = tokens.metrics();
    expect(prewarm).toMatchObject({ sweeps: 960, late: 0, failed: 0 });
    expect(prewarm.refreshed).toBeGreaterThanOrEqual(4);
    expect(kinds.tenant).toMatchObject({ waits: 1, hits: 12 });
  });

  it('has at most `concurrency` renewals under way', async () => {
    const app = await startStoreApp(30, { concurrency: 3 });
    await clock.advance(99 * MINUTE);
    // Or the first tenant's renewal would renew the app token beside those of the sweep.
    await app.get(TokenService).refresh({ kind: 'app' });
    most = 0;
    platform.latencyMs = 200;
    const result = await settled(app.get(TokenPrewarmer).sweep());
    expect(result).toEqual({ refreshed: 30, failed: 0, dropped: 0 });
    expect(most).toBe(3);
  });

  it('is joined by another call while it runs', async () => {
    const app = await startStoreApp(4);
    await clock.advance(99 * MINUTE);
    platform.latencyMs = 200;
    const prewarmer = app.get(TokenPrewarmer);
    const calls = platform.tokenCalls;
    const [one, other] = await settled(Promise.all([prewarmer.sweep(), prewarmer.sweep()]));
    expect(other).toBe(one);
    expect(platform.tokenCalls).toBe(calls + 5);
    expect(app.get(TokenService).metrics().prewarm).toMatchObject({ refreshed: 5, skipped: 0 });
    expect(await prewarmer.sweep()).not.toBe(one);
  });

  it('is skipped and counted while the sweep before runs', async () => {
    const app = await startApp({}, { intervalMs: 1_000 });
    const metrics = () => app.get(TokenService).metrics().prewarm;
    await app.get(TokenService).getTenantAccessToken();
    await clock.advance(60 * MINUTE);
    expect(metrics().skipped).toBe(0);
    platform.latencyMs = 3_500;
    await clock.advance(40 * MINUTE);
    expect(metrics()).toMatchObject({ refreshed: 1, skipped: 3 });
  });

  it.each<[string, () => void]>([
    ['an outage', () => void (platform.outage = { status: 503 })],
    ['a rejected secret', () => void (platform.outage = { code: 10014 })],
    ['a fetch that throws nothing', () => void (platform.outage = { throws: undefined })],
    ['nonsense', () => void (platform.outage = { body: 'nonsense' })],
  ])('does not throw: %s is counted, and held tokens stay', async (_, fail) => {
    const app = await startStoreApp(3);
    const tokens = app.get(TokenService);
    const held = tokens.handle({ kind: 'tenant', tenantKey: 'tenant_0' }).peek();
    await clock.advance(99 * MINUTE);
    fail();
    expect(await settled(app.get(TokenPrewarmer).sweep())).toMatchObject({ refreshed: 0, failed: 4 });
    expect(tokens.metrics().prewarm).toMatchObject({ failed: 4, refreshed: 0 });
    expect(await tokens.getTenantAccessToken({ tenantKey: 'tenant_0' })).toBe(held);
  });

  it('goes on with other tenants after one failed', async () => {
    const app = await startStoreApp(3, { concurrency: 1 });
    await clock.advance(99 * MINUTE);
    const asksFor = (): string | undefined => platform.calls.at(-1)?.body['tenant_key'];
    platform.answer = () => (asksFor() === 'tenant_1' ? { code: 99991665 } : undefined);
    // The app's own token, and those of the other two.
    expect(await settled(app.get(TokenPrewarmer).sweep())).toEqual({ refreshed: 3, failed: 1, dropped: 0 });
  });

  it("removes tenants without reads, and keeps the app's own token", async () => {
    const app = await startStoreApp(3, { idleAfterMs: 60 * MINUTE });
    const tokens = app.get(TokenService);
    await clock.advance(50 * MINUTE);
    await tokens.getTenantAccessToken({ tenantKey: 'tenant_1' });
    const calls = platform.tokenCalls;
    await clock.advance(10 * MINUTE + 1);
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 2 });
    expect(tokens.metrics().kinds).toMatchObject({ tenant: { tokens: 1 }, app: { tokens: 1 } });
    expect(tokens.handle({ kind: 'tenant', tenantKey: 'tenant_0' }).peek()).toBeUndefined();
    expect(tokens.handle({ kind: 'tenant', tenantKey: 'tenant_1' }).peek()).toBeDefined();
    expect(platform.tokenCalls).toBe(calls);
  });

  it("keeps a self-built app's own token without reads", async () => {
    const app = await startApp({}, { idleAfterMs: 1_000 });
    await app.get(TokenService).getTenantAccessToken();
    await clock.advance(60 * MINUTE);
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
    expect(app.get(TokenService).metrics().kinds.tenant.tokens).toBe(1);
  });

  it('counts late renewals, as after the machine slept', async () => {
    const app = await startApp();
    const tokens = app.get(TokenService);
    await tokens.getTenantAccessToken();
    await TestClock.settle();
    clock.suspend(180 * MINUTE);
    await app.get(TokenPrewarmer).sweep();
    expect(tokens.metrics().prewarm).toMatchObject({ refreshed: 1, late: 1 });
    await clock.advance(99 * MINUTE);
    await app.get(TokenPrewarmer).sweep();
    expect(tokens.metrics().prewarm).toMatchObject({ refreshed: 2, late: 1 });
  });

  it('fetches a token that could not be fetched at the start', async () => {
    platform.outage = { status: 503 };
    const app = await startApp({}, { onBootstrap: 'background' });
    await settled(clock.sleep(10_000));
    expect(platform.tokenCalls).toBeGreaterThan(0);
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeUndefined();
    platform.outage = undefined;
    expect(await settled(app.get(TokenPrewarmer).sweep())).toMatchObject({ refreshed: 1, failed: 0 });
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeDefined();
  });

  it('runs on call with prewarm: false', async () => {
    const app = await startApp({ prewarm: false });
    const tokens = app.get(TokenService);
    const first = await tokens.getTenantAccessToken();
    await clock.advance(99 * MINUTE);
    expect(tokens.metrics().prewarm).toMatchObject({ sweeps: 0 });
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 1, failed: 0, dropped: 0 });
    expect(await tokens.getTenantAccessToken()).not.toBe(first);
    expect(getFeishuServiceToken(TokenPrewarmer)).toBe(TokenPrewarmer);
  });
});
