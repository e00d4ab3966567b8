import { Controller, Get, type INestApplication } from '@nestjs/common';
import { HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { FeishuAuthHealthIndicator, TokenService } from '../lib/index.js';
import { FeishuEmulator, TestClock } from '../lib/testing/index.js';
import { APP, startApp } from './fixtures/nest-app.js';

const MINUTE = 60_000;

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly feishu: FeishuAuthHealthIndicator,
  ) {}

  @Get('health')
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.feishu.isHealthy()]);
  }
}

interface Detail {
  status: string;
  reason?: string;
  degraded?: boolean;
  kinds: Record<'tenant' | 'app', { tokens: number; lastError: { code: string } | null }>;
}

describe('health endpoint', () => {
  let emulator: FeishuEmulator;
  let clock: TestClock;
  let app: INestApplication;
  let tokens: TokenService;

  beforeEach(async () => {
    emulator = await FeishuEmulator.start({ apps: [APP] });
    clock = new TestClock();
    app = await startApp({
      emulator,
      clock,
      options: { prewarm: false },
      imports: [TerminusModule],
      controllers: [HealthController],
    });
    await app.listen(0, '127.0.0.1');
    tokens = app.get(TokenService);
  });
  afterEach(async () => {
    emulator.faults.clear();
    const closing = app.close();
    await clock.advance(10_000);
    await closing;
    await emulator.stop();
  });

  async function probe(): Promise<{ status: number; detail: Detail }> {
    const response = await fetch(`${await app.getUrl()}/health`);
    const body = (await response.json()) as { details: Record<string, Detail> };
    const detail = body.details['feishu-auth'];
    if (!detail) throw new Error('no detail');
    return { status: response.status, detail };
  }

  /** The module and the platform live on, with a failing renewal now and then. */
  async function passMinutes(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      emulator.clock.advance(MINUTE);
      await clock.advance(MINUTE);
      tokens.handle({ kind: 'tenant' }).peek();
      await TestClock.settle();
    }
  }

  it('is up before anything was asked for, and asks nothing itself', async () => {
    expect(await probe()).toMatchObject({ status: 200, detail: { status: 'up' } });
    expect(emulator.requests).toHaveLength(0);
  });

  it('is up while renewals work', async () => {
    await tokens.getTenantAccessToken();
    const { status, detail } = await probe();
    expect(status).toBe(200);
    expect(detail).toMatchObject({ status: 'up', kinds: { tenant: { tokens: 1, lastError: null } } });
    expect(JSON.stringify(detail)).not.toContain(await tokens.getTenantAccessToken());
  });

  it('is down when there is no token and the last attempt failed', async () => {
    emulator.apps.setSecret(APP.appId, 'rotated-at-the-platform');
    await expect(tokens.getTenantAccessToken()).rejects.toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
    });
    const { status, detail } = await probe();
    expect(status).toBe(503);
    expect(detail).toMatchObject({
      status: 'down',
      kinds: { tenant: { tokens: 0, lastError: { code: 'ERR_FEISHU_CREDENTIALS_REJECTED' } } },
    });
  });

  it('is degraded, and still serves, when the renewal of a valid token keeps failing', async () => {
    await tokens.getTenantAccessToken();
    emulator.faults.add({ status: 503, body: 'down for maintenance' });
    await passMinutes(113);
    const { status, detail } = await probe();
    expect(status).toBe(200);
    expect(detail.reason).toMatch(/its renewal fails/);
    // Terminus 11 knows no third state.
    expect(detail.status === 'degraded' || detail.degraded).toBe(true);
    await expect(tokens.getTenantAccessToken()).resolves.toMatch(/^t-/);
  });
});
