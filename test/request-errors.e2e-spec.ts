import { TENANT_GRANT } from './fixtures/feishu-platform.js';

import { emulator, get, ran, start, startStoreApp, stopAfterEach, thrown } from './fixtures/request-app.js';

stopAfterEach();

describe.each(['Express', 'Fastify'] as const)('@FeishuAuth() without a token on %s', (adapter) => {
  it('503 with Retry-After if the time is known', async () => {
    await start(adapter);
    emulator.faults.add({
      path: TENANT_GRANT,
      status: 429,
      code: 99991400,
      headers: { 'x-ogw-ratelimit-reset': '60' },
    });
    const { status, headers, body } = await get('plain/tenant');
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(1);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(body).toEqual({
      statusCode: 503,
      message: 'No Feishu token is available',
      error: 'Service Unavailable',
      code: 'ERR_FEISHU_RATE_LIMITED',
    });
    expect(thrown).toMatchObject([{ cause: { code: 'ERR_FEISHU_RATE_LIMITED' } }]);
    expect(ran).toHaveLength(0);
  });

  it('503 without the secret if the secret is wrong', async () => {
    await start(adapter, { appSecret: 'hunter2hunter2' });
    const { status, body } = await get('plain/tenant');
    expect(status).toBe(503);
    expect(body['code']).toBe('ERR_FEISHU_CREDENTIALS_REJECTED');
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  it.each([
    ['none', {}],
    ['a malformed one', { 'x-tenant': '../tenant_a' }],
  ])('400 for a request without a valid tenant: %s', async (_what, headers) => {
    await startStoreApp(adapter);
    const { status, body } = await get('both/class', headers);
    expect(status).toBe(400);
    expect(body).toMatchObject({ statusCode: 400, code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    expect(thrown).toMatchObject([{ cause: { code: 'ERR_FEISHU_INVALID_ARGUMENT' } }]);
  });

  it('503 for a tenant that has not installed the app', async () => {
    await startStoreApp(adapter);
    const { status, body } = await get('both/class', { 'x-tenant': 'stranger' });
    expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'ERR_FEISHU_TENANT_REJECTED' });
  });

  it.each([
    ['plain/fixed-tenant', 'self-built'],
    ['plain/other-instance', "'other'"],
    ['plain/bare', 'PlainController.bare() has no token; add @FeishuAuth()'],
  ])('500 for a mistake in the code, with an error that names it: %s', async (path, words) => {
    await start(adapter);
    expect((await get(path)).status).toBe(500);
    expect(thrown).toMatchObject([
      { code: 'ERR_FEISHU_INVALID_ARGUMENT', message: expect.stringContaining(words) },
    ]);
  });
});
