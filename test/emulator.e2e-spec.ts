import * as lark from '@larksuiteoapi/node-sdk';
import { connect } from 'node:net';
import { type EmulatedTicket } from '../lib/testing/emulator-tickets.js';
import { FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { type FeishuEmulatorOptions } from '../lib/testing/feishu-emulator.options.js';
import { type AppType } from '../lib/platform/app-type.js';

const AUTH = '/open-apis/auth/v3';
const INTERNAL_TENANT = `${AUTH}/tenant_access_token/internal`;
const INTERNAL_APP = `${AUTH}/app_access_token/internal`;
const ECHO = '/open-apis/emulator/echo';
const BOT_INFO = '/open-apis/bot/v3/info';

const SELF_BUILT = { appId: 'cli_selfbuilt', appSecret: 'self-built-secret' };
const STORE = {
  appId: 'cli_store',
  appSecret: 'store-secret',
  appType: 'store' as const,
  tenantKeys: ['tenant_a', 'tenant_b'],
};
const CREDENTIALS = { app_id: SELF_BUILT.appId, app_secret: SELF_BUILT.appSecret };
const STORE_CREDENTIALS = { app_id: STORE.appId, app_secret: STORE.appSecret };

interface Answer {
  status: number;
  headers: Headers;
  code: number;
  msg: string;
  tenant_access_token: string;
  app_access_token: string;
  expire: number;
  data: Record<string, unknown>;
}

let emulator: FeishuEmulator;

async function start(options: FeishuEmulatorOptions = {}): Promise<void> {
  await emulator?.stop();
  emulator = await FeishuEmulator.start({ apps: [SELF_BUILT, STORE], ...options });
  emulator.clock.freeze();
}

async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(emulator.domain.open + path, init);
  const body = (await response.json()) as object;
  return { status: response.status, headers: response.headers, ...body } as Answer;
}

const post = (path: string, body: unknown): Promise<Answer> =>
  call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const get = (path: string, token?: string): Promise<Answer> =>
  call(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

const selfBuiltToken = async (): Promise<string> =>
  (await post(INTERNAL_TENANT, CREDENTIALS)).tenant_access_token;

async function storeAppToken(): Promise<string> {
  const body = { ...STORE_CREDENTIALS, app_ticket: emulator.apps.ticket(STORE.appId) };
  return (await post(`${AUTH}/app_access_token`, body)).app_access_token;
}

const storeTenantToken = async (tenantKey: string): Promise<Answer> =>
  post(`${AUTH}/tenant_access_token`, { app_access_token: await storeAppToken(), tenant_key: tenantKey });

beforeEach(() => start());
afterEach(() => emulator.stop());

describe('tokens of a self-built app', () => {
  it('are flat, with the seconds that remain', async () => {
    const answer = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(answer).toMatchObject({ status: 200, code: 0, msg: 'ok', expire: 7_200 });
    expect(answer.tenant_access_token).toMatch(/^t-[A-Za-z0-9]{40}$/);
    expect(answer.data).toBeUndefined();
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-tt-logid')).toMatch(/^\d{14}[0-9A-F]{20}$/);
  });

  it('come with the tenant token when it is the app token that was asked for', async () => {
    const tenant = await selfBuiltToken();
    const answer = await post(INTERNAL_APP, CREDENTIALS);
    expect(answer).toMatchObject({ code: 0, msg: 'ok', tenant_access_token: tenant, expire: 7_200 });
    expect(answer.app_access_token).toMatch(/^t-[A-Za-z0-9]{40}$/);
    expect(answer.app_access_token).not.toBe(tenant);
  });

  it('report an expire that holds for both tokens', async () => {
    await selfBuiltToken();
    emulator.clock.advance(600_000);
    expect((await post(INTERNAL_APP, CREDENTIALS)).expire).toBe(6_600);
  });

  it('are one string where the platform is set to unify them', async () => {
    await start({ unifiedTokens: true });
    const answer = await post(INTERNAL_APP, CREDENTIALS);
    expect(answer.app_access_token).toBe(answer.tenant_access_token);
    expect(await get('/open-apis/emulator/app-only', answer.app_access_token)).toMatchObject({ code: 0 });
    expect(await get(BOT_INFO, answer.app_access_token)).toMatchObject({ code: 0 });
  });

  it('are had with a slash at the end of the path too', async () => {
    expect(await post(`${INTERNAL_TENANT}/`, CREDENTIALS)).toMatchObject({ code: 0 });
    expect(emulator.requestsTo(INTERNAL_TENANT)).toHaveLength(1);
  });
});

describe('the 30-minute rule', () => {
  it('answers with the same token and a smaller expire while 30 minutes remain', async () => {
    const first = await post(INTERNAL_TENANT, CREDENTIALS);
    emulator.clock.advance(5_400_000);
    const second = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(second).toMatchObject({ tenant_access_token: first.tenant_access_token, expire: 1_800 });
  });

  it('answers with a new token below that, and both work until their own end', async () => {
    const old = await selfBuiltToken();
    emulator.clock.advance(5_400_001);
    const renewed = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(renewed.expire).toBe(7_200);
    expect(renewed.tenant_access_token).not.toBe(old);
    expect(await get(BOT_INFO, old)).toMatchObject({ status: 200, code: 0 });

    emulator.clock.advance(1_799_999);
    expect(await get(BOT_INFO, old)).toMatchObject({ status: 400, code: 99991663 });
    expect(await get(BOT_INFO, renewed.tenant_access_token)).toMatchObject({ status: 200, code: 0 });
  });

  it('gives a new token every time when tokens live shorter than that', async () => {
    await start({ tokenLifetimeSeconds: 120 });
    const first = await post(INTERNAL_TENANT, CREDENTIALS);
    const second = await post(INTERNAL_TENANT, CREDENTIALS);
    expect([first.expire, second.expire]).toEqual([120, 120]);
    expect(second.tenant_access_token).not.toBe(first.tenant_access_token);
    expect(await get(BOT_INFO, first.tenant_access_token)).toMatchObject({ code: 0 });
  });
});

describe('credentials that are wrong', () => {
  const refusals: [string, string, unknown, object][] = [
    [
      'a wrong secret',
      INTERNAL_TENANT,
      { ...CREDENTIALS, app_secret: 'x' },
      { code: 10014, msg: 'app secret invalid' },
    ],
    [
      'an unknown app',
      INTERNAL_TENANT,
      { app_id: 'cli_nobody', app_secret: 'x' },
      { code: 10014, msg: 'app id not exists' },
    ],
    [
      'a malformed app id',
      INTERNAL_TENANT,
      { app_id: 'no app', app_secret: 'x' },
      { code: 10003, data: {}, msg: 'invalid param' },
    ],
    [
      'an empty secret',
      INTERNAL_APP,
      { ...CREDENTIALS, app_secret: '' },
      { code: 10003, data: {}, msg: 'invalid param' },
    ],
    [
      'a body that is no JSON',
      INTERNAL_TENANT,
      'app_id=cli_selfbuilt',
      { code: 10003, data: {}, msg: 'invalid param' },
    ],
    ['a body that is a list', INTERNAL_TENANT, [CREDENTIALS], { code: 10003 }],
    ['a store app at the self-built endpoint', INTERNAL_TENANT, STORE_CREDENTIALS, { code: 10005 }],
    ['a self-built app that wants a ticket', `${AUTH}/app_ticket/resend`, CREDENTIALS, { code: 10016 }],
    ['a store app without a ticket', `${AUTH}/app_access_token`, STORE_CREDENTIALS, { code: 10012 }],
  ];

  it.each(refusals)('%s: HTTP 200 and a code', async (_name, path, body, expected) => {
    expect(await post(path, body)).toMatchObject({ status: 200, ...expected });
  });

  it('says 10015 of a wrong secret where it is set to', async () => {
    await start({ wrongSecretCode: 10015 });
    expect(await post(INTERNAL_TENANT, { ...CREDENTIALS, app_secret: 'x' })).toMatchObject({ code: 10015 });
  });

  it('includes yesterday’s secret after a reset in the console', async () => {
    const token = await selfBuiltToken();
    emulator.apps.setSecret(SELF_BUILT.appId, 'tomorrow');
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 10014 });
    expect(await post(INTERNAL_TENANT, { ...CREDENTIALS, app_secret: 'tomorrow' })).toMatchObject({
      code: 0,
    });
    expect(await get(BOT_INFO, token)).toMatchObject({ code: 0 });
  });

  it('includes those of a disabled app, whose tokens stop as well', async () => {
    const token = await selfBuiltToken();
    emulator.apps.disable(SELF_BUILT.appId);
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ status: 200, code: 10014 });
    expect(await get(BOT_INFO, token)).toMatchObject({ status: 400, code: 99991662 });
    emulator.apps.enable(SELF_BUILT.appId);
    expect(await get(BOT_INFO, token)).toMatchObject({ code: 0 });
  });
});

describe('a store app', () => {
  it('gets from ticket to app token to tenant token', async () => {
    const body = { ...STORE_CREDENTIALS, app_ticket: emulator.apps.ticket(STORE.appId) };
    const app = await post(`${AUTH}/app_access_token`, body);
    expect(app).toMatchObject({ code: 0, msg: 'success', expire: 7_200 });
    expect(app.app_access_token).toMatch(/^a-[A-Za-z0-9]{40}$/);

    const tenantA = await storeTenantToken('tenant_a');
    const tenantB = await storeTenantToken('tenant_b');
    expect(tenantA).toMatchObject({ code: 0, msg: 'success', expire: 7_200 });
    expect(tenantA.tenant_access_token).not.toBe(tenantB.tenant_access_token);
    expect((await get(ECHO, tenantB.tenant_access_token)).data['identity']).toEqual({
      kind: 'tenant',
      appId: STORE.appId,
      tenantKey: 'tenant_b',
    });
  });

  it('is told by resend that it worked, and gets the ticket later', async () => {
    const delivered: unknown[] = [];
    const off = emulator.tickets.on((ticket) => delivered.push(ticket));
    const before = emulator.apps.ticket(STORE.appId);
    const answer = await post(`${AUTH}/app_ticket/resend`, STORE_CREDENTIALS);
    const after = emulator.apps.ticket(STORE.appId);
    expect(answer).toMatchObject({ status: 200, code: 0, msg: 'success' });
    expect(JSON.stringify(answer)).not.toContain(after);
    expect(delivered).toEqual([{ appId: STORE.appId, appTicket: after }]);
    expect(after).not.toBe(before);

    const withOldTicket = { ...STORE_CREDENTIALS, app_ticket: before };
    expect(await post(`${AUTH}/app_access_token`, withOldTicket)).toMatchObject({ status: 200, code: 10012 });
    off();
    emulator.tickets.push(STORE.appId);
    expect(delivered).toHaveLength(1);
  });

  it('has no ticket that works once it expired', async () => {
    const app_ticket = emulator.apps.ticket(STORE.appId);
    emulator.tickets.expire(STORE.appId);
    expect(await post(`${AUTH}/app_access_token`, { ...STORE_CREDENTIALS, app_ticket })).toMatchObject({
      code: 10012,
    });
    expect(() => emulator.apps.ticket(STORE.appId)).toThrow(/no app_ticket/);
  });

  it('is refused for a bad app token and for a tenant that has not installed it', async () => {
    const path = `${AUTH}/tenant_access_token`;
    expect(await post(path, { app_access_token: 'a-none', tenant_key: 'tenant_a' })).toMatchObject({
      status: 200,
      code: 99991664,
    });
    expect(await post(path, { tenant_key: 'tenant_a' })).toMatchObject({ code: 10003 });
    expect(await storeTenantToken('tenant_c')).toMatchObject({ status: 200, code: 99991665 });
  });

  it('loses a tenant’s tokens with the tenant, and gets others when it returns', async () => {
    const { tenant_access_token: token } = await storeTenantToken('tenant_a');
    emulator.apps.removeTenant(STORE.appId, 'tenant_a');
    expect(await get(BOT_INFO, token)).toMatchObject({ status: 400, code: 99991665 });
    expect(await storeTenantToken('tenant_a')).toMatchObject({ code: 99991665 });

    emulator.apps.addTenant(STORE.appId, 'tenant_a');
    expect(await get(BOT_INFO, token)).toMatchObject({ status: 400, code: 99991663 });
    expect((await storeTenantToken('tenant_a')).tenant_access_token).not.toBe(token);
  });
});

describe('APIs', () => {
  it('answer a tenant token', async () => {
    const token = await selfBuiltToken();
    const authorization = `Bearer ${token}`;
    expect(await get(BOT_INFO, token)).toMatchObject({ status: 200, code: 0, bot: { activate_status: 2 } });
    expect((await get('/open-apis/contact/v3/users/ou_1', token)).data['user']).toMatchObject({
      open_id: 'ou_1',
    });
    const sent = await call('/open-apis/im/v1/messages?receive_id_type=chat_id', {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({ receive_id: 'oc_1', msg_type: 'text', content: '{"text":"hello"}' }),
    });
    expect(sent.data).toMatchObject({ chat_id: 'oc_1', body: { content: '{"text":"hello"}' } });
    const bad = await call('/open-apis/im/v1/messages', {
      method: 'POST',
      headers: { authorization },
      body: '{}',
    });
    expect(bad).toMatchObject({ status: 400, code: 9499 });
  });

  it.each([
    ['no bearer at all', undefined, 99991661],
    ['no "Bearer " before the token', 't-abc', 99991661],
    ['an empty bearer', 'Bearer ', 99991661],
    ['a token nobody issued', 'Bearer t-abc', 99991663],
    ['a user token', 'Bearer u-abc', 99991668],
  ])('refuse %s with HTTP 400', async (_name, authorization, code) => {
    const answer = await call(BOT_INFO, authorization === undefined ? {} : { headers: { authorization } });
    expect(answer).toMatchObject({ status: 400, code });
  });

  it('refuse a token with HTTP 200 where they are set to', async () => {
    await start({ tokenErrorStatus: 200 });
    expect(await get(BOT_INFO, 't-abc')).toMatchObject({ status: 200, code: 99991663 });
    expect(await get(BOT_INFO)).toMatchObject({ status: 400, code: 99991661 });
  });

  it('may take app tokens only, or no tenant token', async () => {
    const { app_access_token: app, tenant_access_token: tenant } = await post(INTERNAL_APP, CREDENTIALS);
    const appOnly = '/open-apis/emulator/app-only';
    expect(await get(appOnly, app)).toMatchObject({ code: 0, data: { identity: { kind: 'app' } } });
    expect(await get(appOnly, tenant)).toMatchObject({ status: 400, code: 99991664 });
    expect(await get(appOnly, 't-abc')).toMatchObject({ status: 400, code: 99991664 });
    expect(await get(ECHO, 'a-abc')).toMatchObject({ status: 400, code: 99991664 });
    expect(await get(BOT_INFO, app)).toMatchObject({ status: 400, code: 99991663 });
    expect(await get('/open-apis/emulator/no-tenant-token', tenant)).toMatchObject({
      status: 400,
      code: 99991663,
      msg: 'tenant access token not support',
    });
  });

  it('echo what was sent, but not the bearer', async () => {
    const token = await selfBuiltToken();
    const answer = await call(`${ECHO}?a=1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'x-own': 'yes' },
      body: 'plain',
    });
    expect(answer.data).toMatchObject({
      identity: { kind: 'tenant', appId: SELF_BUILT.appId },
      method: 'PUT',
      query: { a: '1' },
      headers: { 'x-own': 'yes' },
      body: 'plain',
    });
    expect(JSON.stringify(answer.data)).not.toContain(token);
  });

  it('stream a download of any size and take an upload', async () => {
    const headers = { authorization: `Bearer ${await selfBuiltToken()}` };
    const url = `${emulator.domain.open}/open-apis/im/v1/files`;
    const size = 5 * 1_024 * 1_024 + 1;
    const response = await fetch(`${url}/file_1?size=${size}`, { headers });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect((await response.arrayBuffer()).byteLength).toBe(size);

    const body = new FormData();
    body.set('file', new Blob([new Uint8Array(300_000)]), 'a.bin');
    const uploaded = await call('/open-apis/im/v1/files', { method: 'POST', headers, body });
    expect(uploaded.data['file_key']).toMatch(/^file_v3_/);
    expect(await call('/open-apis/im/v1/files', { method: 'POST', headers })).toMatchObject({ code: 9499 });
  });

  it('can answer piece by piece, and redirect', async () => {
    const token = await selfBuiltToken();
    expect((await get('/open-apis/emulator/slow?chunks=3&intervalMs=1', token)).data).toEqual({
      items: [0, 1, 2],
    });
    const to = encodeURIComponent('https://elsewhere.example/x');
    const response = await fetch(`${emulator.domain.open}/open-apis/emulator/redirect?to=${to}&status=307`, {
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([307, 'https://elsewhere.example/x']);
    const nowhere = await fetch(`${emulator.domain.open}/open-apis/emulator/redirect`);
    expect(nowhere.status).toBe(400);
  });

  it('can be added', async () => {
    const token = await selfBuiltToken();
    const path = '/open-apis/calendar/v4/calendars/:id';
    emulator.apis.add({
      path,
      data: ({ parameters, identity }) => ({ id: parameters['id'], of: identity?.appId }),
    });
    emulator.apis.add({
      method: 'post',
      path: '/open-apis/open',
      accepts: [],
      data: ({ body }) => ({ body }),
    });
    expect(await get('/open-apis/calendar/v4/calendars/7', token)).toMatchObject({
      code: 0,
      msg: 'success',
      data: { id: '7', of: SELF_BUILT.appId },
    });
    expect(await get('/open-apis/calendar/v4/calendars/7', 't-abc')).toMatchObject({ code: 99991663 });
    expect(await post('/open-apis/open', { a: 1 })).toMatchObject({ code: 0, data: { body: { a: 1 } } });

    emulator.apis.add({ path, data: () => Promise.reject(new Error('not written yet')) });
    const response = await fetch(`${emulator.domain.open}/open-apis/calendar/v4/calendars/7`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([response.status, await response.text()]).toEqual([
      500,
      'the emulated API failed: not written yet',
    ]);
  });

  it.each([
    ['GET', INTERNAL_TENANT],
    ['POST', '/open-apis/nothing'],
    ['GET', '/'],
  ])('say 404 in plain text to %s %s', async (method, path) => {
    const response = await fetch(emulator.domain.open + path, { method });
    expect([response.status, await response.text()]).toEqual([404, '404 page not found']);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(response.headers.get('x-tt-logid')).toBeTruthy();
    expect(emulator.requests.at(-1)).toMatchObject({ method, path, status: 404, code: -1 });
  });
});

describe('revoke', () => {
  it('ends a token at once, and the next one asked for is new', async () => {
    const token = await selfBuiltToken();
    expect(emulator.revoke(token)).toBe(true);
    expect(await get(BOT_INFO, token)).toMatchObject({ status: 400, code: 99991663 });
    const next = await selfBuiltToken();
    expect(next).not.toBe(token);
    expect(await get(BOT_INFO, next)).toMatchObject({ code: 0 });
  });

  it('can leave the platform handing out the dead token until the 30-minute rule brings another', async () => {
    const token = await selfBuiltToken();
    emulator.revoke(token, { sticky: true });
    expect(await selfBuiltToken()).toBe(token);
    expect(await get(BOT_INFO, token)).toMatchObject({ code: 99991663 });
    emulator.clock.advance(5_400_001);
    expect(await selfBuiltToken()).not.toBe(token);
  });

  it('does not know a token it never issued', () => {
    expect(emulator.revoke('t-abc')).toBe(false);
  });
});

describe('faults', () => {
  it('hit the requests they are meant for, as often as they are meant to', async () => {
    const fault = emulator.faults.add({ path: `${AUTH}/tenant`, times: 2, status: 503 });
    const url = emulator.domain.open + INTERNAL_TENANT;
    const body = JSON.stringify(CREDENTIALS);
    const statuses = [];
    for (let index = 0; index < 3; index += 1)
      statuses.push((await fetch(url, { method: 'POST', body })).status);
    expect(statuses).toEqual([503, 503, 200]);
    expect(fault.hits).toBe(2);
    expect(emulator.requests.map(({ code }) => code)).toEqual([-1, -1, 0]);
  });

  it('answer with a code, by HTTP 200 unless told otherwise', async () => {
    emulator.faults.add({ path: /internal$/g, code: 2200 });
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({
      status: 200,
      code: 2200,
      msg: 'internal error',
    });
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 2200 });
    emulator.faults.clear();
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 0 });
  });

  it('know the rate limit’s status and headers', async () => {
    const fault = emulator.faults.add({ code: 99991400 });
    const limited = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(limited).toMatchObject({ status: 429, code: 99991400 });
    expect(limited.headers.get('x-ogw-ratelimit-limit')).toBe('100');
    expect(limited.headers.get('x-ogw-ratelimit-reset')).toBe('1');
    fault.remove();
    emulator.faults.add({ code: 99991400, status: 400, headers: { 'X-Ogw-Ratelimit-Reset': '30' } });
    const older = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(older.status).toBe(400);
    expect(older.headers.get('x-ogw-ratelimit-reset')).toBe('30');
  });

  it('send any body', async () => {
    emulator.faults.add({
      times: 1,
      body: '<html>busy',
      status: 502,
      headers: { 'content-type': 'text/html' },
    });
    const response = await fetch(emulator.domain.open + BOT_INFO);
    expect([response.status, await response.text()]).toEqual([502, '<html>busy']);
    expect(response.headers.get('content-type')).toBe('text/html');
    emulator.faults.add({ times: 1, body: { code: 0, msg: 'ok', expire: -1 } });
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 0, expire: -1 });
    expect(emulator.requests.map(({ status, code }) => [status, code])).toEqual([
      [502, -1],
      [200, 0],
    ]);
  });

  it('that only add headers leave the answer as it is', async () => {
    emulator.faults.add({ headers: { 'X-Tt-Logid': 'mine' } });
    const answer = await post(INTERNAL_TENANT, CREDENTIALS);
    expect(answer.code).toBe(0);
    expect(answer.headers.get('x-tt-logid')).toBe('mine');
    expect(emulator.requests.at(-1)?.logId).toBe('mine');
  });

  it('that only delay let the next fault decide', async () => {
    const slow = emulator.faults.add({ latencyMs: 5 });
    emulator.faults.add({ times: 1, code: 1500 });
    const before = performance.now();
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 1500 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(4);
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 0 });
    expect(slow.hits).toBe(2);
  });

  it('cut the connection', async () => {
    emulator.faults.add({ times: 1, kind: 'reset' });
    await expect(fetch(emulator.domain.open + BOT_INFO)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) },
    });
    expect(emulator.requests).toMatchObject([{ status: 0, code: -1 }]);
    expect(await post(INTERNAL_TENANT, CREDENTIALS)).toMatchObject({ code: 0 });
  });

  it('hang, and stop() does not wait for that', async () => {
    emulator.faults.add({ kind: 'hang' });
    const hanging = fetch(emulator.domain.open + BOT_INFO).catch((error: unknown) => error);
    while (emulator.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await emulator.stop();
    expect(await hanging).toMatchObject({ message: 'fetch failed' });
    expect(emulator.requests).toMatchObject([{ path: BOT_INFO, status: 0, code: -1 }]);
  });
});

describe('the emulator itself', () => {
  it('keeps a log without secrets', async () => {
    emulator.clock.advance(60_000);
    const token = await selfBuiltToken();
    await get(`${BOT_INFO}?token=${token}`, token);
    expect(emulator.requests).toEqual([
      {
        method: 'POST',
        path: INTERNAL_TENANT,
        at: emulator.clock.now(),
        status: 200,
        code: 0,
        logId: expect.any(String),
      },
      {
        method: 'GET',
        path: BOT_INFO,
        at: emulator.clock.now(),
        status: 200,
        code: 0,
        logId: expect.any(String),
      },
    ]);
    expect(emulator.requestsTo(/bot/)).toHaveLength(1);
    const log = JSON.stringify(emulator.requests);
    for (const secret of [token, SELF_BUILT.appSecret]) expect(log).not.toContain(secret);
  });

  it('tells about requests as they are answered', async () => {
    const seen: string[] = [];
    await start({ onRequest: ({ path, status }) => void seen.push(`${status} ${path}`) });
    await selfBuiltToken();
    expect(seen).toEqual([`200 ${INTERNAL_TENANT}`]);
  });

  it('can be slow, for every path or for one', async () => {
    const took = async (work: () => Promise<unknown>): Promise<number> => {
      const before = performance.now();
      await work();
      return performance.now() - before;
    };
    await start({ latencyMs: { [INTERNAL_TENANT]: 20 } });
    expect(await took(selfBuiltToken)).toBeGreaterThanOrEqual(19);
    await start({ latencyMs: 20 });
    expect(await took(() => get(BOT_INFO))).toBeGreaterThanOrEqual(19);
  });

  it('stops twice, with idle connections and with ones that never sent anything', async () => {
    await selfBuiltToken();
    const { hostname, port } = new URL(emulator.domain.open);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    await get(BOT_INFO);
    await Promise.all([emulator.stop(), emulator.stop()]);
    await closed;
    await expect(fetch(emulator.domain.open)).rejects.toThrow('fetch failed');
  });

  it('refuses a port that is taken and options that make no sense', async () => {
    const port = Number(new URL(emulator.domain.open).port);
    await expect(FeishuEmulator.start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(FeishuEmulator.start({ tokenLifetimeSeconds: 0 })).rejects.toThrow('tokenLifetimeSeconds');
    await expect(FeishuEmulator.start({ renewalWindowSeconds: -1 })).rejects.toThrow('renewalWindowSeconds');
  });

  it('names an origin that can be called when it listens everywhere', async () => {
    await start({ host: '0.0.0.0' });
    expect(emulator.domain.open).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(emulator.domain.accounts).toBe(emulator.domain.open);
    expect(await selfBuiltToken()).toMatch(/^t-/);
  });
});

describe('a client nobody here wrote: the official Node SDK', () => {
  const silent = {
    fatal: () => undefined,
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
    trace: () => undefined,
  };
  let sequence = 0;

  // The SDK shares one cache among all clients with the same app id, so every test needs its own.
  function addApp(app: { appType?: AppType; tenantKeys?: string[] } = {}): lark.Client {
    const appId = `cli_sdk${(sequence += 1)}`;
    emulator.apps.add({ appId, appSecret: 'sdk-secret', ...app });
    return new lark.Client({
      appId,
      appSecret: 'sdk-secret',
      appType: app.appType === 'store' ? lark.AppType.ISV : lark.AppType.SelfBuild,
      domain: emulator.domain.open,
      logger: silent,
    });
  }

  const message = {
    params: { receive_id_type: 'chat_id' as const },
    data: { receive_id: 'oc_1', msg_type: 'text', content: '{}' },
  };

  it('calls APIs for a self-built app', async () => {
    const client = addApp();
    const sent = await client.im.message.create(message);
    expect(sent).toMatchObject({ code: 0, data: { chat_id: 'oc_1' } });
    const user = await client.contact.user.get({ path: { user_id: 'ou_1' } });
    expect(user.data?.user?.open_id).toBe('ou_1');
    expect(emulator.requestsTo(INTERNAL_TENANT)).toHaveLength(1);
  });

  it('calls APIs for the tenants of a store app, with the ticket that was pushed', async () => {
    // The SDK asks for a ticket when it is made, and hears nothing until the platform pushes one.
    const pushed = new Promise<EmulatedTicket>((resolve) => emulator.tickets.on(resolve));
    const client = addApp({ appType: 'store', tenantKeys: ['tenant_a', 'tenant_b'] });
    const { appId, appTicket } = await pushed;
    const dispatcher = new lark.EventDispatcher({ logger: silent });
    await dispatcher.invoke({
      ts: '1502199207.7171419',
      uuid: 'bc447199585340d1f3728d26b1c0297a',
      token: '',
      type: 'event_callback',
      event: { app_id: appId, app_ticket: appTicket, type: 'app_ticket' },
    });
    const identities = [];
    for (const tenantKey of ['tenant_a', 'tenant_b']) {
      const answer = await client.request<Answer>(
        { method: 'GET', url: ECHO },
        lark.withTenantKey(tenantKey),
      );
      identities.push(answer.data['identity']);
    }
    expect(identities).toEqual([
      { kind: 'tenant', appId, tenantKey: 'tenant_a' },
      { kind: 'tenant', appId, tenantKey: 'tenant_b' },
    ]);
  });

  it('sees 99991663 after a revocation, and again on the next call, because it keeps the token', async () => {
    const client = addApp();
    const { tenant_access_token: token } = await post(INTERNAL_TENANT, {
      app_id: `cli_sdk${sequence}`,
      app_secret: 'sdk-secret',
    });
    await client.im.message.create(message);
    emulator.revoke(token);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(client.im.message.create(message)).rejects.toMatchObject({
        response: { status: 400, data: { code: 99991663 } },
      });
    }
  });

  it('asks for 50 tokens in 50 cold calls at once', async () => {
    const client = addApp();
    await Promise.all(Array.from({ length: 50 }, () => client.im.message.create(message)));
    expect(emulator.requestsTo(INTERNAL_TENANT)).toHaveLength(50);
  });
});
