import { inspect } from 'node:util';
import { networkError, ScriptedOAuth } from '../../test/fixtures/scripted-oauth.js';
import { TestClock } from '../testing/test-clock.js';
import { InMemoryUserTokenStore } from './store/in-memory-user-token-store.js';
import { UserEngine } from './user-engine.js';
import { type UserLogins } from './user-logins.js';

const APP = {
  appId: 'cli_a',
  appSecret: 'the-secret-of-the-app',
  keyPrefix: 'feishu-auth',
  openOrigin: 'https://open.feishu.cn',
  accountsOrigin: 'https://accounts.feishu.cn',
  refresh: { requestTimeoutMs: 5_000 },
};
const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:user:ou_a}';

/** A store that fails on demand. */
class FailingStore extends InMemoryUserTokenStore {
  fails = false;
  override get(key: string): ReturnType<InMemoryUserTokenStore['get']> {
    return this.fails ? Promise.reject(new Error('down')) : super.get(key);
  }
}

describe('UserLogins', () => {
  let clock: TestClock;
  let feishu: ScriptedOAuth;
  let store: FailingStore;
  let logins: UserLogins;
  let warnings: string[];

  beforeEach(() => {
    clock = new TestClock();
    feishu = new ScriptedOAuth(clock);
    store = new FailingStore();
    warnings = [];
    ({ logins } = new UserEngine(
      {
        ...APP,
        fetch: feishu.fetch,
        users: {
          store,
          redirectUri: undefined,
          scopes: ['offline_access'],
          oauth: 'v3',
          keepAlive: false,
          claimMs: 60_000,
          acceptUnencrypted: false,
        },
      },
      { cipher: undefined, clock, logger: { warn: (message) => warnings.push(message) } },
    ));
  });

  async function logIn(openId = 'ou_a', scopes = ['offline_access', 'im:message']): Promise<void> {
    await logins.begin({ openId, name: 'Ada', scopes: [] }, feishu.authorize(openId, scopes));
  }

  it('a login is active, with what the user granted and when it ends', async () => {
    const now = clock.now();
    await logIn();
    expect(await logins.status('ou_a')).toEqual({
      state: 'active',
      scopes: ['offline_access', 'im:message'],
      accessTokenExpiresAt: new Date(now + 7_200_000),
      refreshTokenExpiresAt: new Date(now + 604_800_000),
      authorizedAt: new Date(now),
    });
  });

  it('of a user who never logged in is absent', async () => {
    expect(await logins.status('ou_a')).toEqual({ state: 'absent', reason: 'absent', scopes: [] });
  });

  it('without a refresh token ends with its access token', async () => {
    await logIn('ou_a', ['im:message']);
    expect(await logins.status('ou_a')).toMatchObject({ state: 'active' });
    await clock.advance(7_200_000);
    expect(await logins.status('ou_a')).toMatchObject({
      state: 'reauthorization-required',
      reason: 'no-refresh-token',
    });
  });

  it('a second login replaces the first', async () => {
    await logIn();
    await clock.advance(1_000);
    await logIn('ou_a', ['offline_access']);
    expect(await logins.status('ou_a')).toMatchObject({
      scopes: ['offline_access'],
      authorizedAt: new Date(clock.now()),
    });
  });

  it('a logout revokes the refresh token first, then the access token, and keeps neither', async () => {
    await logIn();
    await logins.logout('ou_a');
    expect(feishu.callsTo('/revoke').map(({ fields }) => fields['token'])).toEqual([
      'u-refresh-1',
      'u-access-1',
    ]);
    expect(await logins.status('ou_a')).toMatchObject({
      state: 'reauthorization-required',
      reason: 'logged-out',
      scopes: [],
    });
    expect((await store.get(KEY))?.value).not.toMatch(/u-access|u-refresh|Ada/);
  });

  it('a logout that is not to revoke asks Feishu nothing', async () => {
    await logIn();
    await logins.logout('ou_a', { revoke: false });
    expect(feishu.calls).toHaveLength(0);
    expect(feishu.isLive('u-refresh-1')).toBe(true);
  });

  it('a revocation that fails is logged without the token, and the user is logged out', async () => {
    const down: typeof globalThis.fetch = () =>
      Promise.reject(networkError('ECONNREFUSED', 'for u-refresh-1'));
    const users = {
      store,
      redirectUri: undefined,
      scopes: [],
      oauth: 'v3',
      keepAlive: false,
      claimMs: 60_000,
      acceptUnencrypted: false,
    } as const;
    const engine = new UserEngine(
      { ...APP, fetch: down, users },
      { cipher: undefined, clock, logger: { warn: (it) => warnings.push(it) } },
    );
    await logIn();
    await engine.logins.logout('ou_a');
    expect(await logins.status('ou_a')).toMatchObject({ reason: 'logged-out' });
    expect(warnings).toEqual([
      expect.stringMatching(/could not be revoked.*ERR_FEISHU_PLATFORM_UNAVAILABLE/),
    ]);
    expect(warnings[0]).not.toContain('u-refresh-1');
  });

  it('a logout of a user who never logged in, or twice, does nothing', async () => {
    await logins.logout('ou_a');
    await logIn();
    await logins.logout('ou_a');
    const before = await store.get(KEY);
    await logins.logout('ou_a');
    expect(await store.get(KEY)).toEqual(before);
  });

  it('#61 a store that cannot be read is an error, never "no login"', async () => {
    await logIn();
    store.fails = true;
    await expect(logins.status('ou_a')).rejects.toMatchObject({
      code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      retryable: true,
    });
  });

  it('#61 a record that cannot be read is an error, and a new login replaces it', async () => {
    await store.put(KEY, 'not ours', null);
    await expect(logins.status('ou_a')).rejects.toMatchObject({ code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE' });
    await logIn();
    expect(await logins.status('ou_a')).toMatchObject({ state: 'active' });
  });

  it('prints no token', async () => {
    await logIn();
    expect(inspect(logins, { depth: 20, showHidden: true })).not.toMatch(/u-access-1|u-refresh-1|the-secret/);
  });

  describe('#67 an event about revoked tokens', () => {
    const both = ' user_access_token refresh_token  ';

    it.each([both, 'refresh_token '])('ends the login: %j', async (tokenTypes) => {
      await logIn();
      await clock.advance(10);
      await logins.revoked({ openId: 'ou_a', tokenTypes, at: clock.now() });
      expect(await logins.status('ou_a')).toMatchObject({
        state: 'reauthorization-required',
        reason: 'revoked',
      });
    });

    it('that comes twice, or late, does not touch a login from after it', async () => {
      await logIn();
      await clock.advance(10);
      const at = clock.now();
      await logins.revoked({ openId: 'ou_a', tokenTypes: both, at });
      await clock.advance(10);
      await logIn();
      await logins.revoked({ openId: 'ou_a', tokenTypes: both, at });
      expect(await logins.status('ou_a')).toMatchObject({ state: 'active' });
    });

    it('does not touch other users, and none who never logged in', async () => {
      await logIn('ou_b');
      await clock.advance(10);
      await logins.revoked({ openId: 'ou_a', tokenTypes: both, at: clock.now() });
      expect(await logins.status('ou_a')).toMatchObject({ state: 'absent' });
      expect(await logins.status('ou_b')).toMatchObject({ state: 'active' });
    });

    it('about the access token alone leaves the login to its refresh token', async () => {
      await logIn();
      await clock.advance(10);
      await logins.revoked({ openId: 'ou_a', tokenTypes: 'user_access_token ', at: clock.now() });
      expect(await logins.status('ou_a')).toMatchObject({
        state: 'active',
        accessTokenExpiresAt: new Date(clock.now()),
      });
    });

    it('about the access token alone ends a login that has no refresh token', async () => {
      await logIn('ou_a', ['im:message']);
      await clock.advance(10);
      await logins.revoked({ openId: 'ou_a', tokenTypes: 'user_access_token ', at: clock.now() });
      expect(await logins.status('ou_a')).toMatchObject({ reason: 'revoked' });
    });
  });
});
