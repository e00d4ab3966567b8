import { inspect } from 'node:util';
import { networkError, ScriptedOAuth, type OAuthFault } from '../../../test/fixtures/scripted-oauth.js';
import { TestClock } from '../../testing/test-clock.js';
import { secretAuthentication } from './client-authentication.js';
import { OAuthClient } from './oauth-client.js';
import { oauthEndpoints } from './oauth-endpoints.js';
import { OAuthFailure } from './oauth-failure.js';
import { OAuthGrants } from './oauth-grants.js';

const SECRET = 'the-secret-of-the-app';
const ORIGINS = { openOrigin: 'https://open.feishu.cn', accountsOrigin: 'https://accounts.feishu.cn' };

describe('OAuthGrants', () => {
  let clock: TestClock;
  let feishu: ScriptedOAuth;

  beforeEach(() => {
    clock = new TestClock();
    feishu = new ScriptedOAuth(clock);
  });
  afterEach(() => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(clock.pendingTimers).toBe(0);
  });

  function grants(version: 'v3' | 'v2' = 'v3', fetch = feishu.fetch): OAuthGrants {
    return new OAuthGrants({
      client: new OAuthClient({ fetch, clock, requestTimeoutMs: 5_000, secrets: [SECRET] }),
      endpoints: oauthEndpoints(ORIGINS, version),
      appId: 'cli_a',
      authenticate: secretAuthentication(SECRET),
    });
  }

  async function failureOf(work: Promise<unknown>): Promise<OAuthFailure> {
    const error = await work.catch((caught: unknown) => caught);
    if (!(error instanceof OAuthFailure)) throw new Error(`not an OAuthFailure: ${inspect(error)}`);
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain(SECRET);
    return error;
  }

  function refreshAfter(fault: OAuthFault): Promise<OAuthFailure> {
    feishu.next(fault);
    return failureOf(grants().refresh('u-refresh-that-is-secret'));
  }

  describe('what is sent', () => {
    it.each([
      ['v3', 'https://accounts.feishu.cn/oauth/v3/token'],
      ['v2', 'https://open.feishu.cn/open-apis/authen/v2/oauth/token'],
    ] as const)(
      'the token endpoint %s gets JSON with the secret, and no redirect is followed',
      async (version, url) => {
        const sent: [unknown, RequestInit | undefined][] = [];
        const fetch: typeof globalThis.fetch = (input, init) => {
          sent.push([input, init]);
          return feishu.fetch(input, init);
        };
        const { refreshToken = '' } = feishu.authorize('ou_a');
        await grants(version, fetch).refresh(refreshToken);
        expect(sent).toMatchObject([[url, { method: 'POST', redirect: 'manual' }]]);
        expect(feishu.calls[0]?.fields).toEqual({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          client_id: 'cli_a',
          client_secret: SECRET,
        });
      },
    );

    it('a code goes with its redirect URI and verifier, and without them if there are none', async () => {
      await grants().exchangeCode({
        code: feishu.code('ou_a'),
        redirectUri: 'https://a.example/cb',
        codeVerifier: 'v'.repeat(43),
      });
      await grants().exchangeCode({ code: feishu.code('ou_a') });
      expect(feishu.calls.map(({ fields }) => Object.keys(fields).toSorted())).toEqual([
        ['client_id', 'client_secret', 'code', 'code_verifier', 'grant_type', 'redirect_uri'],
        ['client_id', 'client_secret', 'code', 'grant_type'],
      ]);
    });

    it('a revocation is a form', async () => {
      await grants().revoke('u-refresh-1', 'refresh_token');
      expect(feishu.calls).toMatchObject([
        { path: '/oauth/v1/revoke', fields: { token: 'u-refresh-1', token_type_hint: 'refresh_token' } },
      ]);
    });

    it('a device login authenticates the app by Basic, and polls by a form', async () => {
      const answer = {
        device_code: 'd-1',
        user_code: 'ABCD',
        verification_uri: 'https://f.cn/v',
        expires_in: 300,
      };
      const sent: RequestInit[] = [];
      const fetch: typeof globalThis.fetch = async (_url, init = {}) => {
        sent.push(init);
        return Response.json(answer);
      };
      const device = await grants('v3', fetch).authorizeDevice(['a', 'offline_access']);
      expect(device).toMatchObject({
        deviceCode: 'd-1',
        userCode: 'ABCD',
        expiresInMs: 300_000,
        intervalMs: 5_000,
      });
      expect(new Headers(sent[0]?.headers).get('authorization')).toBe(
        `Basic ${Buffer.from(`cli_a:${SECRET}`).toString('base64')}`,
      );
      expect(sent[0]?.body).toContain('scope=a+offline_access');
    });
  });

  describe('an answer', () => {
    it('gives tokens, lives in milliseconds, and scopes', async () => {
      const { refreshToken = '' } = feishu.authorize('ou_a', ['offline_access', 'im:message']);
      const startedAt = clock.now();
      expect(await grants().refresh(refreshToken)).toMatchObject({
        accessToken: 'u-access-2',
        accessLifeMs: 7_200_000,
        refreshToken: 'u-refresh-2',
        refreshLifeMs: 604_800_000,
        scopes: ['offline_access', 'im:message'],
        startedAt,
      });
    });

    it.each([
      ['numbers as text', { expires_in: '60', refresh_token_expires_in: '600' }, 60_000, 600_000],
      ['no lives', { expires_in: undefined, refresh_token_expires_in: undefined }, 7_200_000, undefined],
      ['lives below zero', { expires_in: -1, refresh_token_expires_in: 0 }, 7_200_000, undefined],
    ])(
      'with %s is taken: a refresh token must not be lost over it',
      async (_what, fields, accessLifeMs, refreshLifeMs) => {
        const { refreshToken = '' } = feishu.authorize('ou_a');
        feishu.next({ alter: (body) => ({ ...body, ...fields }) });
        expect(await grants().refresh(refreshToken)).toMatchObject({
          accessLifeMs,
          refreshLifeMs,
          refreshToken: 'u-refresh-2',
        });
      },
    );

    it.each([
      ['code 0', { code: 0 }],
      ['code "0"', { code: '0' }],
      ['an empty code', { code: '' }],
      ['no code', { code: undefined }],
    ])('with %s is a success', async (_what, fields) => {
      const { refreshToken = '' } = feishu.authorize('ou_a');
      feishu.next({ alter: (body) => ({ ...body, ...fields }) });
      await expect(grants().refresh(refreshToken)).resolves.toMatchObject({ accessToken: 'u-access-2' });
    });

    it('#66 with another token type than Bearer is refused: the refresh token is used up', async () => {
      const { refreshToken = '' } = feishu.authorize('ou_a');
      feishu.next({ alter: (body) => ({ ...body, token_type: 'DPoP' }) });
      expect(await failureOf(grants().refresh(refreshToken))).toMatchObject({
        fate: 'spent',
        code: 'ERR_FEISHU_MALFORMED_RESPONSE',
        retryable: false,
      });
    });

    it.each([
      ['a line break in the access token', { access_token: 'a\nb' }],
      ['an empty access token', { access_token: '' }],
      ['no access token', { access_token: undefined }],
    ])('with %s leaves the outcome unknown', async (_what, fields) => {
      const { refreshToken = '' } = feishu.authorize('ou_a');
      feishu.next({ alter: (body) => ({ ...body, ...fields }) });
      expect(await failureOf(grants().refresh(refreshToken))).toMatchObject({ fate: 'unknown' });
    });

    it('of user_info names the user', async () => {
      const { accessToken } = feishu.authorize('ou_a');
      expect(await grants().userInfo(accessToken)).toEqual({
        openId: 'ou_a',
        unionId: 'on_ou_a',
        userId: undefined,
        tenantKey: 'tenant',
        name: 'Ada',
        avatarUrl: undefined,
      });
    });

    it.each([
      ['nothing', ''],
      ['text', 'OK'],
      ['JSON', '{"code":0}'],
    ])('of a revocation may be %s', async (_what, body) => {
      const fetch = (): Promise<Response> => Promise.resolve(new Response(body));
      await expect(grants('v3', fetch).revoke('u-1-long', 'access_token')).resolves.toBeUndefined();
    });

    it('of a revocation that says a code is a failure', async () => {
      const fetch = (): Promise<Response> => Promise.resolve(Response.json({ code: 20002 }));
      expect(await failureOf(grants('v3', fetch).revoke('u-1-long', 'access_token'))).toMatchObject({
        code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      });
    });
  });

  describe('a refusal', () => {
    it('says the code and what to do, and nothing that is secret', async () => {
      const error = await refreshAfter({
        status: 400,
        body: {
          code: 20064,
          error: 'invalid_grant',
          error_description: `u-refresh-that-is-secret \u001b[31m ${SECRET}`,
        },
        headers: { 'x-tt-logid': 'log-1' },
      });
      expect(error).toMatchObject({
        code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
        reason: 'revoked',
        feishuCode: 20064,
        logId: 'log-1',
        retryable: false,
        fate: 'refused',
      });
      expect(error.message).toContain('[redacted]  [31m [redacted]');
    });

    it.each([
      ['temporarily_unavailable', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 'refused'],
      ['slow_down', 'ERR_FEISHU_RATE_LIMITED', 'refused'],
      ['invalid_client', 'ERR_FEISHU_CREDENTIALS_REJECTED', 'refused'],
      ['invalid_grant', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 'refused'],
    ])('may have an OAuth name instead of a code: %s', async (error, code, fate) => {
      expect(await refreshAfter({ status: 400, body: { error } })).toMatchObject({ code, fate });
    });

    it.each([
      [{ challenge_url: 'https://accounts.feishu.cn/verify' }, 'https://accounts.feishu.cn/verify'],
      [{ challenge_url: 'javascript:alert(1)' }, undefined],
      [{}, undefined],
    ])('#65 by an access policy carries the link for the user: %j', async (fields, challengeUrl) => {
      const error = await refreshAfter({ status: 400, body: { code: 21000, ...fields } });
      expect(error.code).toBe('ERR_FEISHU_ACCESS_CHALLENGED');
      expect(error.challengeUrl).toBe(challengeUrl);
    });

    it('for asking too often says when to come back', async () => {
      const headers = { 'x-ogw-ratelimit-reset': '30' };
      const error = await refreshAfter({ status: 429, body: { code: 99991400 }, headers });
      expect(error).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED', retryable: true, fate: 'refused' });
      expect(error.retryAt).toEqual(new Date(clock.now() + 30_000));
    });
  });

  describe('what became of a request without an answer', () => {
    it.each([
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'UND_ERR_CONNECT_TIMEOUT',
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ])('#63 %s: it was surely not sent', async (code) => {
      expect(await refreshAfter({ throws: networkError(code) })).toMatchObject({
        fate: 'not-sent',
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        retryable: true,
      });
    });

    it.each([
      ['ECONNRESET', networkError('ECONNRESET')],
      ['UND_ERR_SOCKET', networkError('UND_ERR_SOCKET')],
      ['UND_ERR_HEADERS_TIMEOUT', networkError('UND_ERR_HEADERS_TIMEOUT')],
      ['UND_ERR_BODY_TIMEOUT', networkError('UND_ERR_BODY_TIMEOUT')],
      ['an abort', new DOMException('aborted', 'AbortError')],
      ['an error of a custom fetch', new Error('no idea')],
      ['something that is not an error', 'no'],
    ])('#63 %s: unknown', async (_what, throws) => {
      expect(await refreshAfter({ throws })).toMatchObject({ fate: 'unknown', retryable: true });
    });

    it('#63 several addresses: it was surely not sent if that is true for each of them', async () => {
      const failing = (codes: string[]): TypeError => {
        const errors = codes.map((code) => Object.assign(new Error(code), { code }));
        return new TypeError('fetch failed', { cause: new AggregateError(errors) });
      };
      expect(await refreshAfter({ throws: failing(['ECONNREFUSED', 'ENETUNREACH']) })).toMatchObject({
        fate: 'not-sent',
      });
      expect(await refreshAfter({ throws: failing(['ECONNREFUSED', 'ECONNRESET']) })).toMatchObject({
        fate: 'unknown',
      });
    });

    it('#63 no answer within the time: unknown', async () => {
      feishu.next({ hangs: true });
      const asked = failureOf(grants().refresh('u-refresh-1'));
      await clock.advance(5_000);
      expect(await asked).toMatchObject({ fate: 'unknown', code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE' });
    });

    it.each<[string, OAuthFault]>([
      ['502 with HTML', { status: 502, body: '<html>' }],
      ['504 with nothing', { status: 504, body: '' }],
      ['200 with HTML', { body: '<html>' }],
      ['200 with half of its JSON', { body: '{"code":0,"access_tok' }],
      ['200 with a list', { body: '[]' }],
      ['307', { status: 307, body: '' }],
      ['500 with a code that nobody knows', { status: 500, body: { code: 424_242 } }],
      ['500 with server_error and no code', { status: 500, body: { error: 'server_error' } }],
      ['a body without an end', { body: 'x'.repeat(1_100_000) }],
    ])('#63 %s: unknown', async (_what, fault) => {
      expect(await refreshAfter(fault)).toMatchObject({ fate: 'unknown', retryable: true });
    });

    it('an app that cannot authenticate has sent nothing', async () => {
      const own = new OAuthGrants({
        client: new OAuthClient({ fetch: feishu.fetch, clock, requestTimeoutMs: 5_000, secrets: [] }),
        endpoints: oauthEndpoints(ORIGINS, 'v3'),
        appId: 'cli_a',
        authenticate: () => Promise.reject(new Error('the key service is down')),
      });
      expect(await failureOf(own.refresh('u-refresh-1'))).toMatchObject({
        fate: 'not-sent',
        retryable: true,
      });
      expect(feishu.calls).toHaveLength(0);
    });
  });
});
