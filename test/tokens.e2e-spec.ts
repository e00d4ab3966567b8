import { type INestApplication } from '@nestjs/common';
import { type FeishuAuthModuleOptions, TokenService } from '../lib/index.js';
import { FeishuEmulator } from '../lib/testing/index.js';
import { APP, startApp } from './fixtures/nest-app.js';

const TENANT_GRANT = '/open-apis/auth/v3/tenant_access_token/internal';
const APP_GRANT = '/open-apis/auth/v3/app_access_token/internal';

describe('tokens of a self-built app, over real HTTP', () => {
  let emulator: FeishuEmulator;
  let app: INestApplication;
  let tokens: TokenService;

  beforeEach(async () => {
    emulator = await FeishuEmulator.start({ apps: [APP] });
  });
  afterEach(async () => {
    await app.close();
    await emulator.stop();
  });

  async function start(options: Partial<FeishuAuthModuleOptions> = {}): Promise<void> {
    app = await startApp({ emulator, options: { prewarm: { onBootstrap: 'off' }, ...options } });
    tokens = app.get(TokenService);
  }

  it('#1 answers 10,000 cold callers with one platform call', async () => {
    await start();
    const values = await Promise.all(Array.from({ length: 10_000 }, () => tokens.getTenantAccessToken()));
    expect(new Set(values).size).toBe(1);
    expect(emulator.requests).toHaveLength(1);
    expect(tokens.metrics().kinds.tenant).toMatchObject({ requests: 10_000, waits: 10_000, misses: 1 });
  });

  it('keeps the app token and the tenant token apart', async () => {
    await start();
    const [appToken, tenantToken] = await Promise.all([
      tokens.getAppAccessToken(),
      tokens.getTenantAccessToken(),
    ]);
    expect(appToken).not.toBe(tenantToken);
    expect(emulator.requestsTo(APP_GRANT)).toHaveLength(1);
    expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(1);
  });

  it('tells a token with its circumstances, as a copy', async () => {
    await start();
    const first = await tokens.getToken({ kind: 'tenant' });
    expect(first).toMatchObject({ kind: 'tenant', source: 'platform' });
    const lifeMs = first.expiresAt.getTime() - first.obtainedAt.getTime();
    expect(lifeMs).toBeGreaterThan(7_190_000);
    expect(lifeMs).toBeLessThanOrEqual(7_200_000);
    first.value = 'changed by the caller';
    const second = await tokens.getToken({ kind: 'tenant' });
    expect(second.source).toBe('memory');
    expect(second.value).toMatch(/^t-/);
  });

  it('renews a token that is asked for now, and takes the same one back without failing', async () => {
    await start();
    const first = await tokens.getTenantAccessToken();
    const again = await tokens.refresh({ kind: 'tenant' });
    expect(again.value).toBe(first);
    expect(tokens.metrics().kinds.tenant.refresh).toMatchObject({
      attempts: 2,
      success: 1,
      noop: 1,
      failure: 0,
    });
    expect(tokens.metrics().kinds.tenant.requests).toBe(1);
  });

  it('#30 #31 replaces a revoked token once, however often and late it is reported', async () => {
    await start();
    const dead = await tokens.getTenantAccessToken();
    emulator.revoke(dead);
    const reports = await Promise.all(
      Array.from({ length: 20 }, () => tokens.invalidate({ kind: 'tenant' }, dead)),
    );
    expect(reports.filter(Boolean)).toHaveLength(1);
    const fresh = await tokens.getTenantAccessToken();
    expect(fresh).not.toBe(dead);
    expect(await tokens.invalidate({ kind: 'tenant' }, dead)).toBe(false);
    expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(2);
    expect(tokens.metrics().kinds.tenant.invalidations).toBe(1);
  });

  it('retries what is transient while a caller waits', async () => {
    await start();
    emulator.faults.add({ path: TENANT_GRANT, times: 1, status: 503, body: 'upstream' });
    emulator.faults.add({ path: TENANT_GRANT, times: 1, code: 2200 });
    await expect(tokens.getTenantAccessToken()).resolves.toMatch(/^t-/);
    expect(tokens.metrics().kinds.tenant.refresh).toMatchObject({
      attempts: 3,
      failuresByCode: { ERR_FEISHU_PLATFORM_UNAVAILABLE: 2 },
    });
  });

  it.each([
    ['a plain-text 404', { status: 404, body: '404 page not found' }, 'ERR_FEISHU_MALFORMED_RESPONSE'],
    ['broken JSON', { body: '{"code":0,' }, 'ERR_FEISHU_MALFORMED_RESPONSE'],
    ['no expire', { body: '{"code":0,"tenant_access_token":"t-1"}' }, 'ERR_FEISHU_MALFORMED_RESPONSE'],
    ['a rate limit', { code: 99991400 }, 'ERR_FEISHU_RATE_LIMITED'],
    ['a wrong secret', { code: 10014 }, 'ERR_FEISHU_CREDENTIALS_REJECTED'],
    ['a reset', { kind: 'reset' as const }, 'ERR_FEISHU_PLATFORM_UNAVAILABLE'],
  ])('#52 tells %s apart, and fails fast after it', async (_, fault, code) => {
    await start();
    emulator.faults.add({ path: TENANT_GRANT, ...fault });
    await expect(tokens.getTenantAccessToken()).rejects.toMatchObject({ name: 'FeishuAuthError', code });
    const asked = emulator.requests.length;
    await expect(tokens.getTenantAccessToken()).rejects.toMatchObject({ code, retryAt: expect.any(Date) });
    expect(emulator.requests).toHaveLength(asked);
    expect(tokens.metrics().kinds.tenant).toMatchObject({ waits: 1, failedFast: 1 });
  });

  it('#6 does not wait longer than the request timeout for a platform that hangs', async () => {
    await start({ refresh: { requestTimeoutMs: 50 } });
    emulator.faults.add({ path: TENANT_GRANT, kind: 'hang' });
    await expect(tokens.getTenantAccessToken()).rejects.toMatchObject({
      code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      retryable: true,
    });
    emulator.faults.clear();
  });

  it('carries the code and the log id of the answer', async () => {
    await start({ appSecret: 'not-the-secret-of-it' });
    const failure = tokens.getTenantAccessToken();
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      feishuCode: 10014,
      retryable: false,
    });
    await expect(failure).rejects.toMatchObject({ logId: emulator.requests[0]?.logId });
  });

  it('logs the report through Nest', async () => {
    await start();
    await tokens.getTenantAccessToken();
    expect(tokens.performanceReport()).toMatch(/tenant/);
    expect(() => tokens.logPerformanceMetrics()).not.toThrow();
  });
});
