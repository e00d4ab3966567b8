import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { TestClock } from '../testing/test-clock.js';
import { FeishuPlatformClient } from './feishu-platform.client.js';
import { TokenGrants } from './token-grants.js';

const SECRET = 'the-secret-of-the-app';
const CREDENTIALS = { app_id: 'cli_a1b2c3', app_secret: SECRET };
const TOKEN = 't-g104cbadef0123456789';
const { signal } = new AbortController();

describe('TokenGrants', () => {
  let clock: TestClock;
  let sent: { path: string; body: unknown }[];
  let answer: unknown;
  let grants: TokenGrants;

  beforeEach(() => {
    clock = new TestClock();
    sent = [];
    answer = { code: 0, msg: 'ok', tenant_access_token: TOKEN, app_access_token: `a${TOKEN}`, expire: 5_400 };
    const client = new FeishuPlatformClient({
      openOrigin: 'https://open.feishu.cn',
      appType: 'store',
      requestTimeoutMs: 5_000,
      clock,
      secrets: [SECRET],
      fetch: async (url, init) => {
        sent.push({ path: new URL(url as string).pathname, body: JSON.parse(init?.body as string) });
        const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
        return new Response(text, { headers: { 'x-tt-logid': '2026-a' } });
      },
    });
    grants = new TokenGrants(client, CREDENTIALS.app_id, SECRET);
  });

  const all = {
    selfBuiltTenant: () => grants.selfBuiltTenant(signal),
    selfBuiltApp: () => grants.selfBuiltApp(signal),
    storeApp: () => grants.storeApp('ticket-1', signal),
    storeTenant: () => grants.storeTenant('a-app-token', 'tenant_a', signal),
  };
  const NAMES = Object.keys(all) as (keyof typeof all)[];

  it.each<[keyof typeof all, path: string, body: object, value: string]>([
    ['selfBuiltTenant', '/tenant_access_token/internal', CREDENTIALS, TOKEN],
    ['selfBuiltApp', '/app_access_token/internal', CREDENTIALS, `a${TOKEN}`],
    ['storeApp', '/app_access_token', { ...CREDENTIALS, app_ticket: 'ticket-1' }, `a${TOKEN}`],
    [
      'storeTenant',
      '/tenant_access_token',
      { app_access_token: 'a-app-token', tenant_key: 'tenant_a' },
      TOKEN,
    ],
  ])('%s asks %s', async (name, path, body, value) => {
    expect(await all[name]()).toEqual({
      value,
      expireMs: 5_400_000,
      startedAt: clock.now(),
      startedMonotonic: clock.monotonic(),
    });
    expect(sent).toEqual([{ path: `/open-apis/auth/v3${path}`, body }]);
  });

  it('asks Feishu to push the ticket again and ignores the answer', async () => {
    answer = { code: 0, msg: 'success' };
    await grants.resendAppTicket(signal);
    expect(sent).toEqual([{ path: '/open-apis/auth/v3/app_ticket/resend', body: CREDENTIALS }]);
    answer = { code: 10016, msg: 'app resend fail' };
    await expect(grants.resendAppTicket(signal)).rejects.toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      feishuCode: 10016,
    });
  });

  const granted = (fields: object): object => ({
    code: 0,
    tenant_access_token: TOKEN,
    app_access_token: TOKEN,
    expire: 7_200,
    ...fields,
  });
  const bothTokens = (value: unknown): object =>
    granted({ tenant_access_token: value, app_access_token: value });

  it.each<[string, unknown, field: RegExp]>([
    ['no token', bothTokens(undefined), /field (app|tenant)_access_token of/],
    ['an empty token', bothTokens(''), /field (app|tenant)_access_token of/],
    ['a token of spaces', bothTokens('   '), /field (app|tenant)_access_token of/],
    ['a token with a line break', bothTokens(`${TOKEN}\r\nx-evil: 1`), /field (app|tenant)_access_token of/],
    ['a token with a zero byte', bothTokens(`${TOKEN}\0`), /field (app|tenant)_access_token of/],
    ['a token with a space', bothTokens(`${TOKEN} `), /field (app|tenant)_access_token of/],
    ['a token beyond ASCII', bothTokens(`${TOKEN}é`), /field (app|tenant)_access_token of/],
    ['a token that is a number', bothTokens(42), /field (app|tenant)_access_token of/],
    ['a token in data', { code: 0, expire: 7_200, data: bothTokens(TOKEN) }, /_access_token of/],
    ['no expire', granted({ expire: undefined }), /field expire of/],
    ['an expire of null', granted({ expire: null }), /field expire of/],
    ['an expire of 0', granted({ expire: 0 }), /field expire of/],
    ['a negative expire', granted({ expire: -1 }), /field expire of/],
    ['an expire in words', granted({ expire: '7200' }), /field expire of/],
    [
      'an expire of more than a day',
      `{"code":0,"tenant_access_token":"${TOKEN}","app_access_token":"${TOKEN}","expire":1e999}`,
      /field expire of/,
    ],
    [
      'an expire of NaN',
      `{"code":0,"tenant_access_token":"${TOKEN}","app_access_token":"${TOKEN}","expire":NaN}`,
      /without the documented JSON/,
    ],
  ])('refuses an answer with %s', async (_, wrong, field) => {
    answer = wrong;
    for (const name of NAMES) {
      const error = await all[name]().catch((caught: unknown) => caught as FeishuAuthError);
      expect(error).toBeInstanceOf(FeishuAuthError);
      expect(error).toMatchObject({
        code: 'ERR_FEISHU_MALFORMED_RESPONSE',
        retryable: true,
        logId: '2026-a',
        message: expect.stringMatching(field),
      });
      expect(JSON.stringify(error) + (error as FeishuAuthError).message).not.toContain(TOKEN);
    }
  });

  it('reads the requested token from an answer with two', async () => {
    answer = granted({ tenant_access_token: 't-tenant', app_access_token: 't-app' });
    expect((await grants.selfBuiltApp(signal)).value).toBe('t-app');
    expect((await grants.selfBuiltTenant(signal)).value).toBe('t-tenant');
  });

  it('accepts an expire with a fraction', async () => {
    answer = granted({ expire: 1.5 });
    expect((await grants.selfBuiltTenant(signal)).expireMs).toBe(1_500);
  });
});
