import { createHash } from 'node:crypto';
import { FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { type FeishuEmulatorOptions } from '../lib/testing/feishu-emulator.options.js';
import { eventSink, type EventSink } from './fixtures/event-sink.js';

const AUTHORIZE = '/open-apis/authen/v1/authorize';
const V2 = '/open-apis/authen/v2/oauth/token';
const V3 = '/oauth/v3/token';
const USER_INFO = '/open-apis/authen/v1/user_info';
const REDIRECT_URI = 'http://127.0.0.1:3000/feishu/callback';
const VERIFIER = 'a-verifier-of-at-least-forty-three-characters_~.';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const DAY_MS = 86_400_000;

const APP = { appId: 'cli_web', appSecret: 'web-secret', tenantKeys: ['tenant_a'] };
const OTHER = { appId: 'cli_other', appSecret: 'other-secret' };
const STORE = {
  appId: 'cli_store',
  appSecret: 'store-secret',
  appType: 'store' as const,
  tenantKeys: ['tenant_b'],
};
const CLIENT = { client_id: APP.appId, client_secret: APP.appSecret };
const ANN = { openId: 'ou_ann', name: 'Ann', userId: 'ann1', email: 'ann@example.com' };

interface Answer {
  status: number;
  code: number;
  error: string;
  access_token: string;
  refresh_token: string;
  expires_in: number;
  refresh_token_expires_in: number;
  scope: string;
  data: Record<string, unknown>;
  [field: string]: unknown;
}

let emulator: FeishuEmulator;
let sink: EventSink | undefined;

async function start(options: FeishuEmulatorOptions = {}): Promise<void> {
  await emulator?.stop();
  emulator = await FeishuEmulator.start({ apps: [APP, OTHER, STORE], users: [ANN], ...options });
  emulator.clock.freeze();
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, ...(text === '' ? {} : (JSON.parse(text) as object)) } as Answer;
}

const post = async (path: string, fields: Record<string, string>): Promise<Answer> =>
  answer(
    await fetch(emulator.domain.accounts + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(fields),
    }),
  );

const get = async (path: string, token: string): Promise<Answer> =>
  answer(await fetch(emulator.domain.open + path, { headers: { authorization: `Bearer ${token}` } }));

function authorizeUrl(query: Record<string, string> = {}): string {
  const all = {
    client_id: APP.appId,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'offline_access im:message',
    state: 'st',
  };
  return `${emulator.domain.accounts}${AUTHORIZE}?${new URLSearchParams({ ...all, ...query }).toString()}`;
}

const codeFor = (query: Record<string, string> = {}): string =>
  emulator.users.approve(authorizeUrl(query)).code ?? '';

const exchange = (fields: Record<string, string> = {}, path = V3): Promise<Answer> =>
  post(path, { grant_type: 'authorization_code', ...CLIENT, redirect_uri: REDIRECT_URI, ...fields });

const login = (query: Record<string, string> = {}, path = V3): Promise<Answer> =>
  exchange({ code: codeFor(query) }, path);

const rotate = (refreshToken: string, fields: Record<string, string> = {}, path = V3): Promise<Answer> =>
  post(path, { grant_type: 'refresh_token', ...CLIENT, refresh_token: refreshToken, ...fields });

beforeEach(() => start());
afterEach(async () => {
  await emulator.stop();
  await sink?.close();
  sink = undefined;
});

describe('a login', () => {
  it.each([V2, V3])('at %s answers flat, with lifetimes in seconds', async (path) => {
    const tokens = await login({}, path);
    expect(tokens).toMatchObject({
      status: 200,
      code: 0,
      expires_in: 7_200,
      refresh_token_expires_in: 604_800,
      scope: 'auth:user.id:read im:message offline_access',
      token_type: 'Bearer',
    });
    expect(tokens.access_token).toMatch(/^eyJ[\w-]{1000,2000}$/);
    expect(emulator.logins).toMatchObject([
      { openId: 'ou_ann', appId: APP.appId, grant: 'authorization_code', generation: 1 },
    ]);
  });

  it('takes a form as well as JSON', async () => {
    const body = new URLSearchParams({ grant_type: 'authorization_code', ...CLIENT, code: codeFor() });
    expect(await answer(await fetch(emulator.domain.accounts + V3, { method: 'POST', body }))).toMatchObject({
      code: 0,
    });
  });

  it('gives no refresh token when offline_access was not asked for, whatever was granted before', async () => {
    await login();
    const tokens = await login({ scope: '' });
    expect(tokens).toMatchObject({ code: 0, scope: 'auth:user.id:read im:message' });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens).not.toHaveProperty('refresh_token_expires_in');
  });

  it('adds the scopes of earlier logins to its own', async () => {
    await login({ scope: 'offline_access im:message' });
    expect((await login({ scope: 'offline_access drive:drive' })).scope).toBe(
      'auth:user.id:read im:message drive:drive offline_access',
    );
  });

  it('has only what the user ticked', async () => {
    const { code = '' } = emulator.users.approve(authorizeUrl(), { scopes: ['im:message'] });
    const tokens = await exchange({ code });
    expect(tokens).toMatchObject({ code: 0, scope: 'auth:user.id:read im:message' });
    expect(tokens).not.toHaveProperty('refresh_token');
  });

  it('tells who the user is, with the fields that the scopes allow', async () => {
    const { access_token: token } = await login({ scope: 'contact:user.employee_id:readonly' });
    const { data } = await get(USER_INFO, token);
    expect(data).toMatchObject({
      open_id: 'ou_ann',
      union_id: 'on_ann',
      user_id: 'ann1',
      name: 'Ann',
      tenant_key: 'tenant_a',
    });
    expect(data).not.toHaveProperty('email');
  });

  it('is of the user who was named, else of the one who signed in last', async () => {
    emulator.users.add({ openId: 'ou_bob' });
    const openIdOf = async (code = ''): Promise<unknown> => {
      const { access_token: token } = await exchange({ code });
      return (await get(USER_INFO, token)).data['open_id'];
    };
    expect(await openIdOf(emulator.users.approve(authorizeUrl(), { openId: 'ou_bob' }).code)).toBe('ou_bob');
    expect(await openIdOf(codeFor())).toBe('ou_ann');
    emulator.users.signIn('ou_bob');
    expect(await openIdOf(codeFor())).toBe('ou_bob');
  });
});

describe('an authorization code', () => {
  const challenge = {
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
  };

  it.each([
    ['is unknown', () => exchange({ code: 'nonsense' }), 20003],
    ['was used', async () => (await login(), exchange({ code: await usedCode() })), 20065],
    ['is older than five minutes', () => exchange({ code: oldCode() }), 20004],
    [
      'belongs to another app',
      () => exchange({ code: codeFor(), client_id: OTHER.appId, client_secret: OTHER.appSecret }),
      20024,
    ],
    [
      'comes with another redirect_uri',
      () => exchange({ code: codeFor(), redirect_uri: 'http://x.test/' }),
      20071,
    ],
    ['is missing', () => exchange(), 20001],
    ['comes without the verifier of its challenge', () => exchange({ code: codeFor(challenge) }), 20049],
    [
      'comes with a wrong verifier',
      () => exchange({ code: codeFor(challenge), code_verifier: 'x'.repeat(43) }),
      20049,
    ],
    [
      'comes with a verifier that is too short',
      () => exchange({ code: codeFor({ code_challenge: 'short' }), code_verifier: 'short' }),
      20049,
    ],
    [
      'comes with a verifier to v3 although there was no challenge',
      () => exchange({ code: codeFor(), code_verifier: VERIFIER }),
      20049,
    ],
  ])('that %s is refused', async (_, attempt, code) => {
    expect(await attempt()).toMatchObject({ status: 400, code, error: expect.any(String) });
  });

  async function usedCode(): Promise<string> {
    const code = codeFor();
    await exchange({ code });
    return code;
  }

  function oldCode(): string {
    const code = codeFor();
    emulator.clock.advance(5 * 60_000);
    return code;
  }

  it.each([
    ['S256', challenge, V3, VERIFIER],
    ['plain, which is the default', { code_challenge: VERIFIER }, V3, VERIFIER],
    ['no challenge, where v2 ignores the verifier', {}, V2, VERIFIER],
  ])('is exchanged with %s', async (_, query: Record<string, string>, path, verifier) => {
    expect(await exchange({ code: codeFor(query), code_verifier: verifier }, path)).toMatchObject({
      code: 0,
    });
  });
});

describe('a refresh token', () => {
  it('is good for one use, and the access token beside it lives on', async () => {
    const first = await login();
    const second = await rotate(first.refresh_token);
    expect(second).toMatchObject({ code: 0, scope: first.scope, expires_in: 7_200 });
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await rotate(first.refresh_token)).toMatchObject({
      status: 400,
      code: 20073,
      error: 'invalid_grant',
    });
    expect(await get(USER_INFO, first.access_token)).toMatchObject({ code: 0 });
    expect(await rotate(second.refresh_token)).toMatchObject({ code: 0 });
    expect(emulator.logins.map(({ generation }) => generation)).toEqual([1, 2, 3]);
    expect(new Set(emulator.logins.map(({ familyId }) => familyId)).size).toBe(1);
  });

  it('is refused with 20064 on a second use where the emulator is set so, and ends the whole login', async () => {
    await start({ oauth: { usedRefreshTokenCode: 20064, replayRevokesFamily: true } });
    const first = await login();
    const second = await rotate(first.refresh_token);
    expect(await rotate(first.refresh_token)).toMatchObject({ code: 20064 });
    expect(await rotate(second.refresh_token)).toMatchObject({ code: 20064 });
    expect(await get(USER_INFO, second.access_token)).toMatchObject({ status: 200, code: 20005 });
  });

  it.each([
    ['unknown', 'nonsense', 20026],
    ['missing', '', 20001],
  ])('that is %s is refused', async (_, token, code) => {
    expect(await rotate(token)).toMatchObject({ status: 400, code });
  });

  it('that v3 issued is unknown to v2, and not the other way round', async () => {
    expect(await rotate((await login({}, V3)).refresh_token, {}, V2)).toMatchObject({ code: 20026 });
    expect(await rotate((await login({}, V2)).refresh_token, {}, V3)).toMatchObject({ code: 0 });
  });

  it('expires, and a year after the login even a new one does', async () => {
    const { refresh_token: old } = await login();
    emulator.clock.advance(7 * DAY_MS);
    expect(await rotate(old)).toMatchObject({ code: 20037 });
    let { refresh_token: token } = await login();
    for (let days = 0; days < 364; days += 4) {
      emulator.clock.advance(4 * DAY_MS);
      ({ refresh_token: token } = await rotate(token));
    }
    emulator.clock.advance(DAY_MS);
    expect(await rotate(token)).toMatchObject({ code: 20037 });
  });

  it('narrows the scopes, each time from what the user granted', async () => {
    const { refresh_token: first } = await login();
    const narrow = await rotate(first, { scope: 'offline_access' });
    expect(narrow.scope).toBe('offline_access');
    expect((await rotate(narrow.refresh_token)).scope).toBe('auth:user.id:read im:message offline_access');
  });

  it.each([
    ['im:message im:message', 20067],
    ['drive:drive', 20068],
  ])('with the scopes %s is refused and not used up', async (scope, code) => {
    const { refresh_token: token } = await login();
    expect(await rotate(token, { scope })).toMatchObject({ code });
    expect(await rotate(token)).toMatchObject({ code: 0 });
  });

  it('is refused where the app may not refresh', async () => {
    await start({ apps: [{ ...APP, refreshesUserTokens: false }] });
    expect(await rotate((await login()).refresh_token)).toMatchObject({ code: 20074 });
  });

  it('has the lifetimes that the emulator was given', async () => {
    await start({ oauth: { accessTokenLifetimeSeconds: 20, refreshTokenLifetimeSeconds: 60 } });
    const tokens = await login();
    expect(tokens).toMatchObject({ expires_in: 20, refresh_token_expires_in: 60 });
    emulator.clock.advance(20_000);
    expect(await get(USER_INFO, tokens.access_token)).toMatchObject({ code: 20005 });
    emulator.clock.advance(40_000);
    expect(await rotate(tokens.refresh_token)).toMatchObject({ code: 20037 });
  });
});

describe('a client', () => {
  it.each([
    ['with a wrong secret', { client_secret: 'wrong' }, 20002, 'invalid_client'],
    ['that does not exist', { client_id: 'cli_nobody' }, 20048, 'invalid_client'],
    ['without a secret', { client_secret: '' }, 20001, 'invalid_request'],
    ['with an unknown grant type', { grant_type: 'password' }, 20036, 'unsupported_grant_type'],
    ['without a grant type', { grant_type: '' }, 20001, 'invalid_request'],
  ])('%s is refused', async (_, fields, code, error) => {
    expect(await exchange({ code: 'any', ...fields })).toMatchObject({ status: 400, code, error });
  });

  it('that is disabled is refused', async () => {
    emulator.apps.disable(APP.appId);
    expect(await exchange({ code: 'any' })).toMatchObject({ code: 20069 });
  });

  it('that authenticates in two ways is refused', async () => {
    const authorization = `Basic ${btoa(`${APP.appId}:${APP.appSecret}`)}`;
    const body = new URLSearchParams({ ...CLIENT, grant_type: 'refresh_token' });
    const init = { method: 'POST', headers: { authorization }, body };
    expect(await answer(await fetch(emulator.domain.accounts + V3, init))).toMatchObject({ code: 20070 });
  });

  it('that sends no fields is refused', async () => {
    const init = { method: 'POST', body: '[]' };
    expect(await answer(await fetch(emulator.domain.accounts + V3, init))).toMatchObject({ code: 20063 });
  });

  it('of a tenant that has not installed the app gets no login', async () => {
    emulator.users.add({ openId: 'ou_far', tenantKey: 'tenant_far' });
    const { code = '' } = emulator.users.approve(authorizeUrl({ client_id: STORE.appId }), {
      openId: 'ou_far',
    });
    const client = { client_id: STORE.appId, client_secret: STORE.appSecret };
    expect(await exchange({ code, ...client })).toMatchObject({ code: 20009 });
  });
});

describe('a user', () => {
  it.each([
    ['frozen', 20066, 20022],
    ['resigned', 20066, 20021],
    ['deleted', 20008, 20008],
  ] as const)(
    'who is %s cannot log in, rotate or act until the administrator heals it',
    async (status, code, infoCode) => {
      const tokens = await login();
      emulator.users.setStatus('ou_ann', status);
      expect(await login()).toMatchObject({ code });
      expect(await rotate(tokens.refresh_token)).toMatchObject({ code });
      expect(await get(USER_INFO, tokens.access_token)).toMatchObject({ status: 200, code: infoCode });
      expect(await get('/open-apis/contact/v3/users/x', tokens.access_token)).toMatchObject({
        code: 99991668,
      });
      emulator.users.setStatus('ou_ann', 'active');
      expect(await rotate(tokens.refresh_token)).toMatchObject({ code: 0 });
    },
  );

  it('to whom the app is not available cannot log in', async () => {
    emulator.users.setStatus('ou_ann', 'no-permission');
    expect(await login()).toMatchObject({ code: 20010 });
  });

  it('whose tokens end is said so to the app, in the words of Feishu', async () => {
    sink = await eventSink();
    emulator.events.subscribe({ appId: APP.appId, url: sink.url });
    const tokens = await login();
    const delivery = await emulator.users.revoke('ou_ann', { appId: APP.appId });
    expect(delivery).toMatchObject({ eventType: 'auth.user_access_token.revoked_v4', isAcknowledged: true });
    expect(sink.events).toMatchObject([
      {
        header: { event_type: 'auth.user_access_token.revoked_v4', app_id: APP.appId },
        event: {
          revoke_token_type: 'user_access_token refresh_token ',
          revoke_reason: 'Revoked by user action.',
          open_id: 'ou_ann',
          union_id: 'on_ann',
          user_id: 'ann1',
        },
      },
    ]);
    expect(await rotate(tokens.refresh_token)).toMatchObject({ code: 20064 });
    expect(await get(USER_INFO, tokens.access_token)).toMatchObject({ code: 20005 });
  });

  it.each([
    ['access', 20005, 0],
    ['refresh', 0, 20064],
  ] as const)('can lose the %s tokens alone', async (tokens, infoCode, code) => {
    const { access_token: access, refresh_token: refresh } = await login();
    expect(await emulator.users.revoke('ou_ann', { appId: APP.appId, tokens })).toBeUndefined();
    expect(await get(USER_INFO, access)).toMatchObject({ code: infoCode });
    expect(await rotate(refresh)).toMatchObject({ code });
  });

  it('who is not there is a mistake of the test', () => {
    expect(() => emulator.users.approve(authorizeUrl(), { openId: 'ou_x' })).toThrow('there is no user ou_x');
    expect(() => emulator.users.setStatus('ou_x', 'frozen')).toThrow('there is no user ou_x');
    expect(() => emulator.users.add({ openId: '' })).toThrow('openId');
  });
});

describe('revocation', () => {
  const revoke = (fields: Record<string, string>): Promise<Answer> =>
    post('/oauth/v1/revoke', { ...CLIENT, ...fields });

  it('ends the token that was sent, and no other', async () => {
    const { access_token: access, refresh_token: refresh } = await login();
    expect(await revoke({ token: refresh })).toEqual({ status: 200 });
    expect(await rotate(refresh)).toMatchObject({ code: 20064 });
    expect(await get(USER_INFO, access)).toMatchObject({ code: 0 });
    await revoke({ token: access, token_type_hint: 'access_token' });
    expect(await get(USER_INFO, access)).toMatchObject({ code: 20005 });
  });

  it('of an unknown token, or of the token of another app, changes nothing', async () => {
    const { refresh_token: refresh } = await login();
    expect(await revoke({ token: 'nonsense' })).toEqual({ status: 200 });
    const other = { client_id: OTHER.appId, client_secret: OTHER.appSecret };
    expect(await revoke({ token: refresh, ...other })).toEqual({ status: 200 });
    expect(await rotate(refresh)).toMatchObject({ code: 0 });
  });

  it('needs a token and the right secret', async () => {
    expect(await revoke({})).toMatchObject({ code: 20001 });
    expect(await revoke({ token: 'x', client_secret: 'wrong' })).toMatchObject({ code: 20002 });
  });

  it('is had by emulator.revoke too', async () => {
    const { access_token: access } = await login();
    expect(emulator.revoke(access)).toBe(true);
    expect(await get(USER_INFO, access)).toMatchObject({ code: 20005 });
  });
});

describe('an API', () => {
  const CONTACT = '/open-apis/contact/v3/users/ou_x';

  it('takes the token of a user who granted the scope, and names the scopes where the user did not', async () => {
    const { access_token: without } = await login({ scope: '' });
    expect(await get(CONTACT, without)).toMatchObject({
      status: 400,
      code: 99991679,
      msg: expect.stringContaining('[contact:contact.base:readonly, contact:contact:readonly_as_app]'),
      error: { permission_violations: [{ subject: 'contact:contact.base:readonly' }, {}] },
    });
    const { access_token: token } = await login({ scope: 'contact:contact.base:readonly' });
    expect(await get(CONTACT, token)).toMatchObject({ status: 200, code: 0 });
  });

  it('that is for apps only refuses a user, and the one for users an app', async () => {
    const { access_token: token } = await login();
    expect(await get('/open-apis/bot/v3/info', token)).toMatchObject({ status: 400, code: 99991668 });
    expect(await get('/open-apis/emulator/user-only', token)).toMatchObject({ code: 0 });
    const tenant = await post('/open-apis/auth/v3/tenant_access_token/internal', {
      app_id: APP.appId,
      app_secret: APP.appSecret,
    });
    expect(await get('/open-apis/emulator/user-only', String(tenant['tenant_access_token']))).toMatchObject({
      code: 99991663,
    });
  });

  it('refuses a user token that has ended with 99991668', async () => {
    const { access_token: token } = await login();
    emulator.clock.advance(7_200_000);
    expect(await get('/open-apis/emulator/echo', token)).toMatchObject({ status: 400, code: 99991668 });
  });

  it('that a test adds can ask for scopes of a user', async () => {
    emulator.apis.add({
      path: '/open-apis/drive/v1/files',
      accepts: ['user'],
      scopes: ['drive:drive'],
      data: ({ identity }) => ({ owner: identity?.openId }),
    });
    expect(await get('/open-apis/drive/v1/files', (await login()).access_token)).toMatchObject({
      code: 99991679,
    });
    const { access_token: token } = await login({ scope: 'drive:drive' });
    expect(await get('/open-apis/drive/v1/files', token)).toMatchObject({
      code: 0,
      data: { owner: 'ou_ann' },
    });
  });

  it('sends the message of a user as that user', async () => {
    const { access_token: token } = await login();
    const response = await fetch(`${emulator.domain.open}/open-apis/im/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ receive_id: 'oc_1', msg_type: 'text', content: '{}' }),
    });
    expect(await answer(response)).toMatchObject({
      data: { sender: { id: 'ou_ann', id_type: 'open_id', sender_type: 'user' } },
    });
  });
});

describe('the authorize page', () => {
  const open = (url: string): Promise<Response> => fetch(url, { redirect: 'manual' });

  it.each([
    ['an unregistered redirect_uri', { redirect_uri: 'http://evil.test/' }, '20029'],
    ['a redirect_uri that is none', { redirect_uri: 'javascript:alert(1)' }, '20029'],
    ['a scope that is not enabled', { scope: 'drive:drive' }, '20027'],
    ['an unknown app', { client_id: 'cli_nobody' }, 'client_id is wrong'],
    ['another response_type', { response_type: 'token' }, 'response_type'],
    ['an unknown challenge method', { code_challenge: 'x', code_challenge_method: 'S512' }, 'S256'],
    ['more than 50 scopes', { scope: Array.from({ length: 51 }, (_, i) => `s:${i}`).join(' ') }, '50'],
  ])('shows an error for %s, and sends the browser nowhere', async (_, query, shown) => {
    const app = { ...APP, redirectUris: [REDIRECT_URI], scopes: ['offline_access', 'im:message'] };
    await start({ apps: [app], oauth: { consent: 'approve' } });
    const response = await open(authorizeUrl(query));
    expect(response.status).toBe(400);
    expect(response.headers.has('location')).toBe(false);
    expect(await response.text()).toContain(shown);
    expect(() => emulator.users.approve(authorizeUrl(query))).toThrow('Feishu would show an error page');
  });

  it('shows who asks for what, escaped, and goes on as the user decides', async () => {
    await start({ apps: [{ ...APP, name: '<b>Web & "app"</b>' }] });
    const page = await (await open(authorizeUrl())).text();
    expect(page).toContain('&lt;b&gt;Web &amp; &quot;app&quot;&lt;/b&gt;');
    expect(page).toContain('value="im:message" checked');
    const decide = async (decision: string): Promise<string> => {
      const ticket = /name="ticket" value="(\w+)"/.exec(await (await open(authorizeUrl())).text())?.[1] ?? '';
      const body = new URLSearchParams({ ticket, decision, open_id: 'ou_ann', scope: 'im:message' });
      const action = /action="([^"]+)"/.exec(page)?.[1] ?? '';
      const send = (): Promise<Response> =>
        fetch(emulator.domain.accounts + action, { method: 'POST', body, redirect: 'manual' });
      const response = await send();
      expect((await send()).status).toBe(400);
      return response.headers.get('location') ?? '';
    };
    expect(await decide('deny')).toBe(`${REDIRECT_URI}?error=access_denied&state=st`);
    const location = await decide('approve');
    expect(location).toMatch(/\?code=\w{64}&state=st$/);
    expect(await exchange({ code: new URL(location).searchParams.get('code') ?? '' })).toMatchObject({
      scope: 'auth:user.id:read im:message',
    });
  });

  it('answers at once where the emulator is set so, with the fragment after the query', async () => {
    await start({ oauth: { consent: 'approve' } });
    const response = await open(authorizeUrl({ redirect_uri: 'http://127.0.0.1:3000/cb/#/login' }));
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toMatch(
      /^http:\/\/127\.0\.0\.1:3000\/cb\/\?code=\w{64}&state=st#\/login$/,
    );
    await start({ oauth: { consent: 'deny' } });
    expect((await open(authorizeUrl({ state: '' }))).headers.get('location')).toContain(
      'error=access_denied',
    );
  });

  it('is opened by app_id as well, as older pages were', () => {
    const url = new URL(authorizeUrl());
    url.searchParams.delete('client_id');
    url.searchParams.delete('response_type');
    url.searchParams.set('app_id', APP.appId);
    expect(emulator.users.approve(url).code).toMatch(/^\w{64}$/);
  });

  it('says so when the emulator knows no user', async () => {
    await start({ users: [] });
    expect(await (await open(authorizeUrl())).text()).toContain('The emulator knows no user');
    expect(() => emulator.users.approve(authorizeUrl())).toThrow('there is no user');
  });
});

describe('a device login', () => {
  const startDevice = (fields: Record<string, string> = {}): Promise<Answer> =>
    post('/oauth/v1/device_authorization', { ...CLIENT, scope: 'offline_access im:message', ...fields });
  const poll = (device: Answer): Promise<Answer> =>
    post(V3, { grant_type: DEVICE_GRANT, ...CLIENT, device_code: String(device['device_code']) });

  it('waits for the user, and ends in tokens', async () => {
    const device = await startDevice();
    expect(device).toMatchObject({ status: 200, expires_in: 240, interval: 5 });
    expect(device['user_code']).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    expect(await poll(device)).toMatchObject({ status: 400, error: 'authorization_pending' });
    expect(await poll(device)).toMatchObject({ status: 400, error: 'slow_down' });
    emulator.clock.advance(5_000);
    expect(await poll(device)).toMatchObject({ error: 'slow_down' });
    emulator.users.approve(String(device['user_code']));
    emulator.clock.advance(15_000);
    expect(await poll(device)).toMatchObject({
      code: 0,
      scope: 'auth:user.id:read im:message offline_access',
    });
    emulator.clock.advance(15_000);
    expect(await poll(device)).toMatchObject({ error: 'invalid_grant' });
    expect(emulator.logins).toMatchObject([{ grant: 'device_code', openId: 'ou_ann' }]);
  });

  it('is denied, or runs out', async () => {
    const denied = await startDevice();
    emulator.users.deny(String(denied['verification_uri_complete']));
    expect(await poll(denied)).toMatchObject({ error: 'access_denied' });
    const late = await startDevice();
    emulator.clock.advance(240_000);
    expect(await poll(late)).toMatchObject({ error: 'expired_token' });
    expect(() => emulator.users.approve(String(late['user_code']))).toThrow('no device login waits');
  });

  it('is approved in the browser', async () => {
    const device = await startDevice();
    const uri = String(device['verification_uri']);
    expect(await (await fetch(uri)).text()).toContain('Type in the code');
    expect(await (await fetch(`${uri}?user_code=NOPE`)).text()).toContain('wrong, used, or too old');
    const page = await (await fetch(String(device['verification_uri_complete']))).text();
    const ticket = /name="ticket" value="(\w+)"/.exec(page)?.[1] ?? '';
    const action = /action="([^"]+)"/.exec(page)?.[1] ?? '';
    const body = new URLSearchParams({ ticket, decision: 'approve', open_id: 'ou_ann', scope: 'im:message' });
    const response = await fetch(emulator.domain.accounts + action, { method: 'POST', body });
    expect(await response.text()).toContain('Go back to your device');
    expect(await poll(device)).toMatchObject({ code: 0, scope: 'auth:user.id:read im:message' });
  });

  it('takes HTTP Basic beside the secret, as the official command line sends it', async () => {
    const authorization = `Basic ${btoa(`${APP.appId}:${APP.appSecret}`)}`;
    const body = new URLSearchParams({ ...CLIENT, scope: 'offline_access' });
    const init = { method: 'POST', headers: { authorization }, body };
    const response = await fetch(`${emulator.domain.accounts}/oauth/v1/device_authorization`, init);
    expect(await answer(response)).toMatchObject({ status: 200, device_code: expect.any(String) });
  });
});

describe('a fault', () => {
  it('before the exchange leaves the refresh token as it was', async () => {
    const { refresh_token: token } = await login();
    emulator.faults.add({ path: V3, times: 1, kind: 'reset' });
    await expect(rotate(token)).rejects.toThrow();
    expect(await rotate(token)).toMatchObject({ code: 0 });
  });

  it('after the exchange has used the refresh token up', async () => {
    const { refresh_token: token } = await login();
    emulator.faults.add({ path: V3, times: 1, stage: 'answer', kind: 'reset' });
    await expect(rotate(token)).rejects.toThrow();
    expect(emulator.logins).toMatchObject([{ generation: 1 }, { generation: 2 }]);
    expect(await rotate(token)).toMatchObject({ code: 20073 });
  });

  it('can replace the answer of an exchange that was carried out', async () => {
    const { refresh_token: token } = await login();
    emulator.faults.add({
      path: V3,
      times: 1,
      stage: 'answer',
      status: 502,
      body: '{}',
      headers: { 'X-A': 'b' },
    });
    expect(await rotate(token)).toEqual({ status: 502 });
    expect(await rotate(token)).toMatchObject({ code: 20073 });
  });

  it('can be for one grant type only', async () => {
    const fault = emulator.faults.add({ grantType: 'refresh_token', code: 20072 });
    const { refresh_token: token } = await login();
    expect(fault.hits).toBe(0);
    expect(await rotate(token)).toMatchObject({
      status: 503,
      code: 20072,
      error: 'temporarily_unavailable',
      error_description: expect.any(String),
    });
    emulator.faults.clear();
    emulator.faults.add({
      grantType: 'refresh_token',
      code: 21000,
      body: { code: 21000, challenge_url: 'x' },
    });
    expect(await rotate(token)).toMatchObject({ code: 21000, challenge_url: 'x' });
  });
});

it('keeps no code, state or token in the request log', async () => {
  await fetch(authorizeUrl(), { redirect: 'manual' });
  const tokens = await login();
  const log = JSON.stringify(emulator.requests);
  for (const secret of [tokens.access_token, tokens.refresh_token, 'state=', APP.appSecret]) {
    expect(log).not.toContain(secret);
  }
});

it('refuses lifetimes that cannot be', async () => {
  await expect(FeishuEmulator.start({ oauth: { codeLifetimeSeconds: 0 } })).rejects.toThrow(
    'oauth.codeLifetimeSeconds',
  );
});
