import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { networkError, ScriptedOAuth } from '../../test/fixtures/scripted-oauth.js';
import { TestClock } from '../testing/test-clock.js';
import { SystemRandomSource } from '../time/random-source.js';
import { InMemoryUserTokenStore } from '../users/store/in-memory-user-token-store.js';
import { UserEngine } from '../users/user-engine.js';
import { FeishuLoginService } from './feishu-login.service.js';

const REDIRECT_URI = 'https://app.example.test/auth/feishu/callback';
const APP = {
  appId: 'cli_a',
  appSecret: 'the-secret-of-the-app',
  keyPrefix: 'feishu-auth',
  openOrigin: 'https://open.feishu.cn',
  accountsOrigin: 'https://accounts.feishu.cn',
  refresh: { requestTimeoutMs: 5_000 },
};

describe('FeishuLoginService', () => {
  let clock: TestClock;
  let feishu: ScriptedOAuth;
  let store: InMemoryUserTokenStore;
  let logins: FeishuLoginService;
  /** How many of the next requests for the user's identity fail, and with what. */
  let trouble: { times: number; answer: () => Response };
  let identityRequests: number;

  beforeEach(() => {
    clock = new TestClock();
    feishu = new ScriptedOAuth(clock);
    store = new InMemoryUserTokenStore();
    trouble = { times: 0, answer: () => new Response('bad gateway', { status: 502 }) };
    identityRequests = 0;
    logins = create();
  });

  const fetch: typeof globalThis.fetch = (input, init) => {
    const isIdentity = new Request(input).url.endsWith('/user_info');
    if (isIdentity && identityRequests++ < trouble.times) return Promise.resolve(trouble.answer());
    return feishu.fetch(input, init);
  };

  function create(redirectUri: string | undefined = REDIRECT_URI): FeishuLoginService {
    const scopes = ['offline_access'];
    const users = new UserEngine(
      {
        ...APP,
        fetch,
        users: {
          store,
          redirectUri,
          scopes,
          oauth: 'v3',
          keepAlive: false,
          claimMs: 60_000,
          acceptUnencrypted: false,
        },
      },
      {
        cipher: undefined,
        journalRecords: undefined,
        clock,
        random: new SystemRandomSource(),
        logger: { log: () => undefined, warn: () => undefined, error: () => undefined },
        onAttempt: () => undefined,
        onChange: () => undefined,
      },
    );
    return new FeishuLoginService({ appId: APP.appId, clock, users, redirectUri, scopes });
  }

  describe('createAuthorizationUrl', () => {
    it('names app, redirect URI, scopes, state and an S256 challenge, with blanks as %20', () => {
      const { url, state, codeVerifier } = logins.createAuthorizationUrl({ scopes: ['a:b', 'c:d', 'a:b'] });
      expect(url).toContain('scope=a%3Ab%20c%3Ad&');
      const { origin, pathname, searchParams } = new URL(url);
      expect(origin + pathname).toBe('https://accounts.feishu.cn/open-apis/authen/v1/authorize');
      expect(Object.fromEntries(searchParams)).toEqual({
        client_id: 'cli_a',
        response_type: 'code',
        redirect_uri: REDIRECT_URI,
        scope: 'a:b c:d',
        state,
        code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      expect(codeVerifier).toMatch(/^[\w-]{43}$/);
    });

    it('has a new state and verifier each time', () => {
      const all = Array.from({ length: 100 }, () => logins.createAuthorizationUrl());
      expect(new Set(all.flatMap(({ state, codeVerifier }) => [state, codeVerifier])).size).toBe(200);
    });

    it('takes a state, a redirect URI and a prompt, and leaves an empty scope out', () => {
      const redirectUri = 'https://other.example.test/cb?x=1';
      const made = logins.createAuthorizationUrl({
        state: 'mine & yours',
        redirectUri,
        prompt: 'consent',
        scopes: [],
      });
      const { searchParams } = new URL(made.url);
      expect(made.state).toBe('mine & yours');
      expect(Object.fromEntries(searchParams)).toMatchObject({
        state: 'mine & yours',
        redirect_uri: redirectUri,
        prompt: 'consent',
      });
      expect(searchParams.has('scope')).toBe(false);
    });

    it.each([
      ['no redirect URI', () => create('').createAuthorizationUrl(), 'set users.redirectUri'],
      ['a relative one', () => logins.createAuthorizationUrl({ redirectUri: '/cb' }), 'redirectUri must be'],
      [
        'a script',
        () => logins.createAuthorizationUrl({ redirectUri: 'javascript:x' }),
        'redirectUri must be',
      ],
      ['an empty state', () => logins.createAuthorizationUrl({ state: '' }), 'state must be'],
      ['a scope with a blank', () => logins.createAuthorizationUrl({ scopes: ['a b'] }), 'scopes must be'],
      ['a text as scopes', () => logins.createAuthorizationUrl({ scopes: 'a' as never }), 'scopes must be'],
    ])('refuses %s', (_, make, message) => {
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_FEISHU_INVALID_ARGUMENT' }));
      expect(make).toThrow(message);
    });
  });

  describe('exchangeCode', () => {
    it('sends code, verifier and redirect URI, and stores the login before it returns the user', async () => {
      const { codeVerifier } = logins.createAuthorizationUrl();
      const code = feishu.code('ou_ann', ['offline_access', 'im:message']);
      expect(await logins.exchangeCode({ code, codeVerifier })).toEqual({
        openId: 'ou_ann',
        unionId: 'on_ou_ann',
        tenantKey: 'tenant',
        name: 'Ada',
        scopes: ['offline_access', 'im:message'],
      });
      expect(feishu.callsTo('/oauth/v3/token')[0]?.fields).toMatchObject({
        code,
        code_verifier: codeVerifier,
        redirect_uri: REDIRECT_URI,
      });
      expect(await logins.status('ou_ann')).toMatchObject({ state: 'active' });
    });

    it('completes and stores a login whose caller gave up after it was sent', async () => {
      feishu.latencyMs = 1_000;
      const giveUp = new AbortController();
      const exchanged = logins.exchangeCode({ code: feishu.code('ou_ann'), signal: giveUp.signal });
      const outcome = Promise.allSettled([exchanged]);
      await clock.advance(500);
      giveUp.abort();
      expect(await outcome).toMatchObject([{ status: 'rejected', reason: { name: 'AbortError' } }]);
      await clock.advance(2_000);
      expect(await logins.status('ou_ann')).toMatchObject({ state: 'active' });
    });

    it('sends nothing for a signal that is aborted', async () => {
      const signal = AbortSignal.abort();
      await expect(logins.exchangeCode({ code: 'abc', signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(feishu.calls).toEqual([]);
    });

    it('sends a code once only, whatever becomes of it', async () => {
      feishu.next({ when: 'after', throws: networkError('ECONNRESET') });
      const code = feishu.code('ou_ann');
      await expect(logins.exchangeCode({ code })).rejects.toMatchObject({
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      });
      expect(feishu.callsTo('/token')).toHaveLength(1);
    });

    it.each([1, 2])('asks again who the user is after %d failures', async (times) => {
      trouble.times = times;
      const exchanged = logins.exchangeCode({ code: feishu.code('ou_ann') });
      await clock.advance(800);
      expect(await exchanged).toMatchObject({ openId: 'ou_ann' });
    });

    it('asks three times who the user is, and then says that the user has to log in again', async () => {
      trouble.times = 3;
      const exchanged = logins.exchangeCode({ code: feishu.code('ou_ann') });
      const [outcome] = await Promise.allSettled([exchanged, clock.advance(800)]);
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
          retryable: false,
          message: expect.stringContaining('the user has to log in again'),
        },
      });
      expect(identityRequests).toBe(3);
      expect(await logins.status('ou_ann')).toMatchObject({ state: 'absent' });
    });

    it('does not ask again when Feishu refuses to say it', async () => {
      trouble = { times: 1, answer: () => Response.json({ code: 20021, msg: 'resigned' }) };
      await expect(logins.exchangeCode({ code: feishu.code('ou_ann') })).rejects.toMatchObject({
        code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
        reason: 'user-disabled',
        feishuCode: 20021,
      });
      expect(identityRequests).toBe(1);
    });

    it.each([
      ['no code', { code: '' }],
      ['a code with a line break', { code: 'a\nb' }],
      ['no text', { code: 5 as never }],
      ['a short verifier', { code: 'abc', codeVerifier: 'short' }],
    ])('refuses %s', async (_, options) => {
      await expect(logins.exchangeCode(options)).rejects.toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
      });
      expect(feishu.calls).toEqual([]);
    });
  });

  describe('createStepUpUrl', () => {
    it('asks for what every login asks for, what the user granted, and what is missing, on a page', async () => {
      await logins.exchangeCode({ code: feishu.code('ou_ann', ['offline_access', 'im:message']) });
      const { url, state, codeVerifier } = await logins.createStepUpUrl({
        openId: 'ou_ann',
        missingScopes: ['drive:drive'],
        state: 'mine',
      });
      const { searchParams } = new URL(url);
      expect(searchParams.get('scope')).toBe('offline_access im:message drive:drive');
      expect(searchParams.get('prompt')).toBe('consent');
      expect([state, searchParams.get('state')]).toEqual(['mine', 'mine']);
      expect(codeVerifier).toMatch(/^[\w-]{43}$/);
    });

    it('works for a user without a login', async () => {
      const { url } = await logins.createStepUpUrl({ openId: 'ou_new', missingScopes: ['drive:drive'] });
      expect(new URL(url).searchParams.get('scope')).toBe('offline_access drive:drive');
    });

    it('refuses scopes that are none', async () => {
      const made = logins.createStepUpUrl({ openId: 'ou_ann', missingScopes: ['a b'] });
      await expect(made).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    });
  });

  it('logs a user out here and at Feishu', async () => {
    await logins.exchangeCode({ code: feishu.code('ou_ann') });
    await logins.logout('ou_ann');
    expect(feishu.callsTo('/revoke')).toHaveLength(2);
    expect(await logins.status('ou_ann')).toMatchObject({
      state: 'reauthorization-required',
      reason: 'logged-out',
    });
  });

  it('logs a user out without a word to Feishu if told so', async () => {
    await logins.exchangeCode({ code: feishu.code('ou_ann') });
    await logins.logout('ou_ann', { revoke: false });
    expect(feishu.callsTo('/revoke')).toEqual([]);
  });

  it('says in every method that the option users is missing', async () => {
    const without = new FeishuLoginService({
      appId: 'cli_a',
      clock,
      users: undefined,
      redirectUri: undefined,
      scopes: [],
    });
    const expected = {
      code: 'ERR_FEISHU_CONFIG_INVALID',
      message: expect.stringContaining('users: { store }'),
    };
    expect(() => without.createAuthorizationUrl({ redirectUri: REDIRECT_URI })).toThrow(
      expect.objectContaining(expected),
    );
    await expect(without.exchangeCode({ code: 'abc' })).rejects.toMatchObject(expected);
    await expect(without.status('ou_ann')).rejects.toMatchObject(expected);
    await expect(without.logout('ou_ann')).rejects.toMatchObject(expected);
    await expect(without.startDeviceLogin()).rejects.toMatchObject(expected);
    await expect(without.createStepUpUrl({ openId: 'ou_ann', missingScopes: [] })).rejects.toMatchObject(
      expected,
    );
  });

  it('shows nothing of itself when it is printed', async () => {
    await logins.exchangeCode({ code: feishu.code('ou_ann') });
    expect(inspect(logins, { showHidden: true, depth: 20 })).not.toMatch(/secret|u-access|u-refresh/);
    expect(JSON.stringify(logins)).toBe('{}');
  });
});
