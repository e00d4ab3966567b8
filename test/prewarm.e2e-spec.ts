import { Global, Injectable, Module, type Type } from '@nestjs/common';
import { Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { jest } from '@jest/globals';
import {
  AppTicketService,
  FeishuAuthModule,
  type FeishuAuthModuleExtras,
  type FeishuAuthModuleOptions,
  getFeishuServiceToken,
  type PrewarmOptions,
  TokenPrewarmer,
  TokenService,
} from '../lib/index.js';
import { Clock, type FeishuEmulator, RandomSource, TestClock } from '../lib/testing/index.js';
import { CollectingLogger } from './fixtures/collecting-logger.js';
import { SELF_BUILT, startPlatform, STORE, TENANT_GRANT, until } from './fixtures/feishu-platform.js';
import { ScriptedPlatform } from './fixtures/scripted-platform.js';
import { FixedRandom } from './fixtures/token-world.js';
import { closeApps } from './fixtures/close-apps.js';

const MINUTE = 60_000;
const JOB = 'feishu-auth:default:prewarm';

const running: TestingModule[] = [];
let logger: CollectingLogger;

beforeEach(() => {
  logger = new CollectingLogger();
});
afterEach(async () => {
  await closeApps(running);
});

type Options = Partial<FeishuAuthModuleOptions> & FeishuAuthModuleExtras;

interface Setup {
  instances: Options[];
  /** Whether the host imports ScheduleModule. */
  scheduled?: boolean;
  imports?: Type[];
  providers?: Type[];
  clock?: Clock;
}

async function compile({
  instances,
  scheduled,
  imports = [],
  providers = [],
  clock,
}: Setup): Promise<TestingModule> {
  const modules = instances.map((options) => FeishuAuthModule.forRoot({ ...SELF_BUILT, ...options }));
  const builder = Test.createTestingModule({
    imports: [...modules, ...imports, ...(scheduled ? [ScheduleModule.forRoot()] : [])],
    providers,
  }).setLogger(logger);
  if (clock) {
    builder.overrideProvider(Clock).useValue(clock);
    builder.overrideProvider(RandomSource).useValue(new FixedRandom());
  }
  const app = await builder.compile();
  running.push(app);
  return app;
}

async function start(setup: Setup): Promise<TestingModule> {
  const app = await compile(setup);
  await app.init();
  return app;
}

describe('the pre-warm interval', () => {
  const off: Options = { prewarm: { onBootstrap: 'off' } };
  const jobs = (app: TestingModule): string[] => app.get(SchedulerRegistry, { strict: false }).getIntervals();

  it("is one in the host's registry, under its documented name, and gone after the close", async () => {
    const app = await start({ instances: [off], scheduled: true });
    expect(jobs(app)).toEqual([JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('is taken out by the module itself, not left to ScheduleModule to clear', async () => {
    @Global()
    @Module({ providers: [SchedulerRegistry], exports: [SchedulerRegistry] })
    class BareRegistryModule {}
    const app = await start({ instances: [off], imports: [BareRegistryModule] });
    expect(jobs(app)).toEqual([JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('is one an instance', async () => {
    const app = await start({ instances: [off, { ...off, name: 'b' }], scheduled: true });
    expect(jobs(app).toSorted((a, b) => a.localeCompare(b))).toEqual(['feishu-auth:b:prewarm', JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('is none with prewarm: false', async () => {
    const app = await start({ instances: [{ prewarm: false }], scheduled: true });
    expect(jobs(app)).toEqual([]);
  });

  it('can be taken out by the host without hurting the close', async () => {
    const app = await start({ instances: [off], scheduled: true });
    app.get(SchedulerRegistry, { strict: false }).deleteInterval(JOB);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  describe("beside the host's own", () => {
    const PERIOD_MS = 10_000;
    let ticks = 0;

    @Injectable()
    class HostJobs {
      @Interval('host', PERIOD_MS)
      tick(): void {
        ticks++;
      }
    }

    beforeEach(() => {
      ticks = 0;
      const real = ['Date', 'performance', 'nextTick', 'queueMicrotask', 'setImmediate'] as const;
      jest.useFakeTimers({ doNotFake: [...real, 'clearImmediate', 'setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it("leaves the host's once per period, and sweeps by its own", async () => {
      const app = await start({ instances: [off], scheduled: true, providers: [HostJobs] });
      expect(new Set(jobs(app))).toEqual(new Set(['host', JOB]));
      await jest.advanceTimersByTimeAsync(6 * PERIOD_MS);
      expect(ticks).toBe(6);
      await until(() => app.get(TokenService).metrics().prewarm.sweeps === 2);
      await app.close();
      expect(jest.getTimerCount()).toBe(0);
    });

    it('runs as well when the host has no ScheduleModule, and ends with the application', async () => {
      const app = await start({ instances: [off] });
      expect(() => app.get(SchedulerRegistry, { strict: false })).toThrow(/could not find/i);
      await jest.advanceTimersByTimeAsync(90_000);
      await until(() => app.get(TokenService).metrics().prewarm.sweeps === 3);
      await app.close();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});

describe('the bootstrap', () => {
  let emulator: FeishuEmulator;
  beforeEach(async () => {
    emulator = await startPlatform();
  });
  afterEach(async () => {
    // The application first, or its close waits for a request that nobody answers any more.
    await closeApps(running);
    await emulator.stop();
  });

  const options = (onBootstrap: PrewarmOptions['onBootstrap'], more: Options = {}): Options => ({
    domain: emulator.domain,
    prewarm: onBootstrap === undefined ? {} : { onBootstrap },
    ...more,
  });
  const WRONG_SECRET = { appSecret: 'not-the-secret-of-the-app' };

  async function failureOf(setup: Setup): Promise<unknown> {
    const app = await compile(setup);
    return app.init().then(
      () => {
        throw new Error('the application started');
      },
      (error: unknown) => error,
    );
  }

  it("'require' starts with the token in hand", async () => {
    const app = await start({ instances: [options('require')] });
    expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(1);
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toMatch(/^t-/);
  });

  it("'require' with a wrong secret fails the start, and says so", async () => {
    const failure = await failureOf({ instances: [options('require', WRONG_SECRET)] });
    expect(failure).toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      retryable: false,
      feishuCode: 10014,
    });
    const { message } = failure as Error;
    expect(message).toMatch(/instance 'default'.*onBootstrap is 'require'.*10014.*check appId and appSecret/);
    expect(message).not.toContain(WRONG_SECRET.appSecret);
  });

  it("'require' says of which instance", async () => {
    const failure = await failureOf({ instances: [options('require', { ...WRONG_SECRET, name: 'b' })] });
    expect(String(failure)).toContain("instance 'b'");
  });

  it("'require' gets over a passing fault of the platform", async () => {
    emulator.faults.add({ times: 1, status: 503 });
    await start({ instances: [options('require')] });
    expect(emulator.requestsTo(TENANT_GRANT).map(({ status }) => status)).toEqual([503, 200]);
  });

  it("'require' of a store app without a ticket checks the secret, and says what it could not check", async () => {
    const store = { appId: STORE.appId, appType: 'store', appSecret: STORE.appSecret } as const;
    await start({ instances: [options('require', store)] });
    expect(emulator.requests.map(({ path }) => path)).toEqual(['/open-apis/auth/v3/app_ticket/resend']);
    expect(logger.lines).toContainEqual(
      expect.stringMatching(/^warn prewarm.onBootstrap 'require': no app_ticket yet/),
    );
    const failure = await failureOf({ instances: [options('require', { ...store, ...WRONG_SECRET })] });
    expect(failure).toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED' });
    expect(String(failure)).toContain("onBootstrap is 'require'");
  });

  it.each([['background'], [undefined]] as const)('%p fetches without being asked', async (onBootstrap) => {
    const app = await start({ instances: [options(onBootstrap)] });
    const handle = app.get(TokenService).handle({ kind: 'tenant' });
    await until(() => handle.peek() !== undefined);
    expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(1);
  });

  it("'background' does not hold up the start, nor fail it", async () => {
    emulator.faults.add({ kind: 'hang', times: 1 });
    await start({ instances: [options('background', WRONG_SECRET)] });
    await until(() => emulator.requests.length === 1);

    await start({ instances: [options('background', WRONG_SECRET)] });
    await until(() => logger.lines.some((line) => line.startsWith('error ')));
    expect(logger.lines).toContainEqual(expect.stringMatching(/^error tenant_access_token: ERR_FEISHU_CRED/));
  });

  it("'background' of a store app asks for the ticket, and fetches the app token where there is one", async () => {
    const store = { appId: STORE.appId, appType: 'store', appSecret: STORE.appSecret } as const;
    const app = await start({ instances: [options('background', store)] });
    await until(() =>
      emulator.requests.some(({ path, status }) => path.endsWith('/resend') && status === 200),
    );
    await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
    expect(await app.get(TokenService).getAppAccessToken()).toMatch(/^a-/);
  });

  it.each([['off'], ['no pre-warm']] as const)('%p makes no call', async (what) => {
    const instance = what === 'off' ? options('off') : options('off', { prewarm: false });
    const app = await start({ instances: [instance] });
    await TestClock.settle();
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeUndefined();
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
    expect(emulator.requests).toEqual([]);
  });
});

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
    const closing = closeApps(running);
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
  async function startApp(options: Options = {}, prewarm: PrewarmOptions = {}): Promise<TestingModule> {
    const defaults = { intervalMs: 1_259_999, onBootstrap: 'off' as const };
    return start({
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

  it('leaves what is fresh, and renews what is due, before anybody has to wait', async () => {
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

  it('comes by itself, again and again, so that nobody ever waits', async () => {
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

  it('has no more renewals under way than it may', async () => {
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

  it('does not overlap with another: who asks meanwhile gets the same', async () => {
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

  it('skips its turn, and counts it, while the last one is still at work', async () => {
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
  ])('never throws: %s is counted, and the tokens that are held stay', async (_, fail) => {
    const app = await startStoreApp(3);
    const tokens = app.get(TokenService);
    const held = tokens.handle({ kind: 'tenant', tenantKey: 'tenant_0' }).peek();
    await clock.advance(99 * MINUTE);
    fail();
    expect(await settled(app.get(TokenPrewarmer).sweep())).toMatchObject({ refreshed: 0, failed: 4 });
    expect(tokens.metrics().prewarm).toMatchObject({ failed: 4, refreshed: 0 });
    expect(await tokens.getTenantAccessToken({ tenantKey: 'tenant_0' })).toBe(held);
  });

  it('lets one tenant fail without the others', async () => {
    const app = await startStoreApp(3, { concurrency: 1 });
    await clock.advance(99 * MINUTE);
    const asksFor = (): string | undefined => platform.calls.at(-1)?.body['tenant_key'];
    platform.answer = () => (asksFor() === 'tenant_1' ? { code: 99991665 } : undefined);
    // The app's own token, and those of the other two.
    expect(await settled(app.get(TokenPrewarmer).sweep())).toEqual({ refreshed: 3, failed: 1, dropped: 0 });
  });

  it("lets go of tenants that nobody asked for, never of the app's own", async () => {
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

  it("never lets go of a self-built app's own token, however long nobody asks for it", async () => {
    const app = await startApp({}, { idleAfterMs: 1_000 });
    await app.get(TokenService).getTenantAccessToken();
    await clock.advance(60 * MINUTE);
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
    expect(app.get(TokenService).metrics().kinds.tenant.tokens).toBe(1);
  });

  it('counts what it renewed too late, as after the machine slept', async () => {
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

  it('brings back a token that could not be had at the start', async () => {
    platform.outage = { status: 503 };
    const app = await startApp({}, { onBootstrap: 'background' });
    await settled(clock.sleep(10_000));
    expect(platform.tokenCalls).toBeGreaterThan(0);
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeUndefined();
    platform.outage = undefined;
    expect(await settled(app.get(TokenPrewarmer).sweep())).toMatchObject({ refreshed: 1, failed: 0 });
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeDefined();
  });

  it('works when asked for, with prewarm: false', async () => {
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
