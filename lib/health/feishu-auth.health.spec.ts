import { jest } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { type AddressInfo } from 'node:net';
import { TokenMetrics } from '../metrics/token-metrics.js';
import { TestClock } from '../testing/test-clock.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { type HealthSources } from './examine-health.js';
import { FeishuAuthHealthIndicator } from './feishu-auth.health.js';
import { type HealthSessions } from './terminus.js';

/** Terminus 11 has no third state. */
const hasDegraded = 'degraded' in new HealthIndicatorService().check('any');
const DEGRADED = hasDegraded ? { status: 'degraded' } : { status: 'up', degraded: true };

const START = Date.UTC(2026, 0, 1);

const HELD: SlotState = {
  kind: 'tenant',
  tenantKey: undefined,
  usable: true,
  expiresInMs: 5_400_999,
  lifeMs: 7_200_000,
  consecutiveFailures: 0,
  lastError: undefined,
};
const FAILING_LATE: SlotState = {
  ...HELD,
  expiresInMs: 240_000,
  consecutiveFailures: 3,
  lastError: { code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', atWallMs: START + 1_000 },
};
const LOST: SlotState = { ...FAILING_LATE, usable: false, expiresInMs: undefined, lifeMs: undefined };

let slots: SlotState[];
let metrics: TokenMetrics;

function sources(overrides: Partial<HealthSources> = {}): HealthSources {
  return {
    instance: 'default',
    appType: 'self-built',
    metrics,
    slots: { states: () => slots },
    hasTicket: () => true,
    ...overrides,
  };
}

beforeEach(() => {
  slots = [];
  metrics = new TokenMetrics({ instance: 'default', clock: new TestClock(START) });
  metrics.attach({
    store: { reads: 0, writes: 0, errors: 0, timeouts: 0, breaker: 'closed' },
    slots: { states: () => slots },
  });
});

describe('FeishuAuthHealthIndicator', () => {
  it('carries every detail of the contract, and no reason, when up', async () => {
    slots = [HELD];
    metrics.readCounters('tenant').hits = 3;
    metrics.waited('tenant', 20);
    metrics.attempted('tenant', 'success', 20);
    metrics.sweepFinished({ refreshed: 0, failed: 0 });

    expect(await new FeishuAuthHealthIndicator(sources()).isHealthy()).toEqual({
      'feishu-auth': {
        status: 'up',
        instance: 'default',
        kinds: {
          tenant: {
            tokens: 1,
            hitRate: 0.75,
            refreshSuccessRate: 1,
            consecutiveFailures: 0,
            lastError: null,
            soonestExpiryInSeconds: 5_400,
          },
          app: {
            tokens: 0,
            hitRate: 0,
            refreshSuccessRate: 0,
            consecutiveFailures: 0,
            lastError: null,
            soonestExpiryInSeconds: null,
          },
          user: {
            tokens: 0,
            hitRate: 0,
            refreshSuccessRate: 0,
            consecutiveFailures: 0,
            lastError: null,
            soonestExpiryInSeconds: null,
          },
        },
        store: { breaker: 'closed' },
        prewarm: { lastSweepAt: '2026-01-01T00:00:00.000Z' },
      },
    });
  });

  it('tells the worst of many tokens', async () => {
    const older = { code: 'ERR_FEISHU_RATE_LIMITED', atWallMs: START } as const;
    slots = [HELD, FAILING_LATE, { ...HELD, consecutiveFailures: 1, lastError: older }];
    const result = await new FeishuAuthHealthIndicator(sources()).isHealthy();
    expect(result['feishu-auth']).toMatchObject({
      ...DEGRADED,
      reason: expect.stringContaining('its end is near') as string,
      kinds: {
        tenant: {
          tokens: 3,
          consecutiveFailures: 3,
          lastError: { code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', at: '2026-01-01T00:00:01.000Z' },
          soonestExpiryInSeconds: 240,
        },
      },
      prewarm: { lastSweepAt: null },
    });
  });

  it('names its result after the instance, or as told', async () => {
    const named = new FeishuAuthHealthIndicator(sources({ instance: 'eu' }));
    expect(Object.keys(await named.isHealthy())).toEqual(['feishu-auth:eu']);
    expect(Object.keys(await named.isHealthy('mine'))).toEqual(['mine']);
  });

  it('asks for the ticket of a store app only', async () => {
    const hasTicket = jest.fn(() => false);
    slots = [{ ...HELD, kind: 'app', consecutiveFailures: 1 }];
    await new FeishuAuthHealthIndicator(sources({ hasTicket })).isHealthy();
    expect(hasTicket).not.toHaveBeenCalled();

    const store = new FeishuAuthHealthIndicator(sources({ appType: 'store', hasTicket }));
    expect((await store.isHealthy())['feishu-auth']).toMatchObject(DEGRADED);
  });

  it.each([new TypeError('t-secret'), 't-secret'])(
    'reads as down when the check throws %p',
    async (thrown) => {
      const states = (): never => {
        throw thrown;
      };
      const result = await new FeishuAuthHealthIndicator(sources({ slots: { states } })).isHealthy();
      expect(result['feishu-auth']).toMatchObject({
        status: 'down',
        instance: 'default',
        reason: expect.stringContaining('health check itself failed') as string,
      });
      expect(JSON.stringify(result)).not.toContain('t-secret');
    },
  );

  it('is up with degraded: true on a terminus that knows two states', async () => {
    const terminus11: HealthSessions = (key) => {
      const session = new HealthIndicatorService().check(key);
      return { up: (data) => session.up({ ...data }), down: (data) => session.down({ ...data }) };
    };
    slots = [FAILING_LATE];
    const indicator = new FeishuAuthHealthIndicator(sources(), () => Promise.resolve(terminus11));
    const result = await indicator.isHealthy();
    expect(result['feishu-auth']).toMatchObject({ status: 'up', degraded: true, instance: 'default' });
  });
});

describe('FeishuAuthHealthIndicator behind terminus', () => {
  let app: INestApplication;

  @Controller('health')
  class HealthController {
    constructor(
      private readonly health: HealthCheckService,
      private readonly feishu: FeishuAuthHealthIndicator,
    ) {}

    @Get()
    check(): unknown {
      return this.health.check([() => this.feishu.isHealthy()]);
    }
  }

  beforeAll(async () => {
    const moduleRef = await Test.createTestingModule({
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        { provide: FeishuAuthHealthIndicator, useFactory: () => new FeishuAuthHealthIndicator(sources()) },
      ],
    }).compile();
    app = moduleRef.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  it.each([
    { state: 'up', held: () => [HELD], http: 200, overall: 'ok', detail: { status: 'up' } },
    {
      state: 'degraded',
      held: () => [FAILING_LATE],
      http: 200,
      overall: hasDegraded ? 'degraded' : 'ok',
      detail: DEGRADED,
    },
    { state: 'down', held: () => [LOST], http: 503, overall: 'error', detail: { status: 'down' } },
  ])('$state is HTTP $http, "$overall"', async ({ held, http, overall, detail }) => {
    slots = held();
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    expect(response.status).toBe(http);
    expect(await response.json()).toMatchObject({
      status: overall,
      details: { 'feishu-auth': detail },
    });
  });
});
