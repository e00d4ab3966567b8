import { type INestApplication } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { TokenService, getFeishuServiceToken } from '../../lib/index.js';
import { FeishuPrometheusModule } from '../../lib/prometheus/index.js';
import { type FeishuEmulator } from '../../lib/testing/index.js';
import { startPlatform } from '../fixtures/feishu-platform.js';
import { createTelemetryApp } from './telemetry-app.js';

describe('FeishuPrometheusModule', () => {
  let emulator: FeishuEmulator;
  let app: INestApplication | undefined;

  beforeAll(async () => {
    emulator = await startPlatform();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  afterAll(() => emulator.stop());

  it('#78 gives a complete scrape of all instances before the first token, and during close', async () => {
    const registry = new Registry();
    app = await createTelemetryApp(emulator, [FeishuPrometheusModule.register({ registry })]);
    await app.init();

    const before = await registry.metrics();
    for (const instance of ['default', 'eu']) {
      expect(before).toContain(`feishu_auth_health{feishu_instance="${instance}",state="up"} 1`);
      expect(before).toContain(
        `feishu_auth_token_requests_total{feishu_instance="${instance}",kind="tenant",outcome="wait"} 0`,
      );
    }
    await app.get(TokenService).getTenantAccessToken();

    const closing = app.close();
    app = undefined;
    const during = await registry.metrics();
    expect(during).toContain(
      'feishu_auth_token_requests_total{feishu_instance="default",kind="tenant",outcome="wait"} 1',
    );
    await closing;
  });

  it('says of each instance what its own snapshot says', async () => {
    const registry = new Registry();
    app = await createTelemetryApp(emulator, [FeishuPrometheusModule.register({ registry })]);
    await app.init();
    const eu = app.get<TokenService>(getFeishuServiceToken(TokenService, 'eu'), { strict: false });
    await eu.getTenantAccessToken();
    await eu.getTenantAccessToken();
    emulator.faults.add({ times: 1, code: 10015 });
    await app
      .get(TokenService)
      .getTenantAccessToken()
      .catch(() => undefined);

    const text = await registry.metrics();
    const { requests, hits, waits } = eu.metrics().kinds.tenant;
    expect({ requests, hits, waits }).toEqual({ requests: 2, hits: 1, waits: 1 });
    const series = (name: string, labels: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name}{${labels}}`))
          ?.split(' ')[1],
      );
    const tenant = 'feishu_instance="eu",kind="tenant"';
    expect(series('feishu_auth_token_requests_total', `${tenant},outcome="hit"`)).toBe(hits);
    expect(series('feishu_auth_token_wait_duration_seconds_count', tenant)).toBe(waits);
    expect(series('feishu_auth_refresh_duration_seconds_count', `${tenant},result="success"`)).toBe(1);
    expect(
      series(
        'feishu_auth_refresh_duration_seconds_count',
        'feishu_instance="default",kind="tenant",result="failure",error_type="ERR_FEISHU_CREDENTIALS_REJECTED"',
      ),
    ).toBe(1);
    expect(text).not.toMatch(/secret|t-[\w-]{8}/);
  });

  it('replaces the metrics of an application that was started before, and removes its own at shutdown', async () => {
    const registry = new Registry();
    const first = await createTelemetryApp(emulator, [FeishuPrometheusModule.register({ registry })]);
    await first.init();
    app = await createTelemetryApp(emulator, [FeishuPrometheusModule.register({ registry })]);
    await app.init();
    await first.close();
    expect(await registry.metrics()).toContain('feishu_auth_health');
    await app.close();
    app = undefined;
    expect((await registry.metrics()).trim()).toBe('');
  });

  it('refuses to start when the registry has a foreign metric of the same name', async () => {
    const registry = new Registry();
    const name = 'feishu_auth_tokens';
    registry.registerMetric(new Counter({ name, help: 'foreign', registers: [] }));
    const clash = await createTelemetryApp(emulator, [FeishuPrometheusModule.register({ registry })]);
    await expect(clash.init()).rejects.toMatchObject({
      code: 'ERR_FEISHU_CONFIG_INVALID',
      message: expect.stringContaining(name) as string,
    });
    await clash.close().catch(() => undefined);
  });
});
