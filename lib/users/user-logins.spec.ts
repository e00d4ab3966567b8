import { inspect } from 'node:util';
import { LoginFleet, OWNER, USER } from '../../test/fixtures/login-fleet.js';
import { networkError } from '../../test/fixtures/scripted-oauth.js';
import { loginKey } from './record/login-key.js';
import { type UserLogins } from './user-logins.js';

const KEY = loginKey(OWNER, USER);

describe('UserLogins', () => {
  let fleet: LoginFleet;
  let logins: UserLogins;

  beforeEach(() => {
    fleet = new LoginFleet();
    ({ logins } = fleet.process().engine);
  });

  const logIn = (openId?: string, scopes?: string[]): Promise<void> =>
    fleet.logIn({ engine: { logins } }, openId, scopes);

  it('a login is active, with what the user granted and when it ends', async () => {
    const now = fleet.clock.now();
    await logIn();
    expect(await logins.status(USER)).toEqual({
      state: 'active',
      scopes: ['offline_access', 'im:message'],
      accessTokenExpiresAt: new Date(now + 7_200_000),
      refreshTokenExpiresAt: new Date(now + 604_800_000),
      authorizedAt: new Date(now),
    });
  });

  it('of a user who never logged in is absent', async () => {
    expect(await logins.status(USER)).toEqual({ state: 'absent', reason: 'absent', scopes: [] });
  });

  it('without a refresh token ends with its access token', async () => {
    await logIn(USER, ['im:message']);
    expect(await logins.status(USER)).toMatchObject({ state: 'active' });
    await fleet.clock.advance(7_200_000);
    expect(await logins.status(USER)).toMatchObject({
      state: 'reauthorization-required',
      reason: 'no-refresh-token',
    });
  });

  it('a second login replaces the first', async () => {
    await logIn();
    await fleet.clock.advance(1_000);
    await logIn(USER, ['offline_access']);
    expect(await logins.status(USER)).toMatchObject({
      scopes: ['offline_access'],
      authorizedAt: new Date(fleet.clock.now()),
    });
  });

  it('a logout revokes the refresh token first, then the access token, and keeps neither', async () => {
    await logIn();
    await logins.logout(USER);
    expect(fleet.feishu.callsTo('/revoke').map(({ fields }) => fields['token'])).toEqual([
      'u-refresh-1',
      'u-access-1',
    ]);
    expect(await logins.status(USER)).toMatchObject({
      state: 'reauthorization-required',
      reason: 'logged-out',
      scopes: [],
    });
    expect((await fleet.store.get(KEY))?.value).not.toMatch(/u-access|u-refresh|Ada/);
  });

  it('a logout that is not to revoke asks Feishu nothing', async () => {
    await logIn();
    await logins.logout(USER, { revoke: false });
    expect(fleet.feishu.calls).toHaveLength(0);
    expect(fleet.feishu.isLive('u-refresh-1')).toBe(true);
  });

  it('a revocation that fails is logged without the token, and the user is logged out', async () => {
    await logIn();
    fleet.feishu.revocationFault = { throws: networkError('ECONNREFUSED', 'for u-refresh-1') };
    await logins.logout(USER);
    expect(await logins.status(USER)).toMatchObject({ reason: 'logged-out' });
    expect(fleet.logged).toEqual([
      expect.stringMatching(/warn .*could not be revoked.*ERR_FEISHU_PLATFORM_UNAVAILABLE/),
    ]);
    expect(fleet.logged[0]).not.toContain('u-refresh-1');
  });

  it('a logout of a user who never logged in, or twice, does nothing', async () => {
    await logins.logout(USER);
    await logIn();
    await logins.logout(USER);
    const before = await fleet.store.get(KEY);
    await logins.logout(USER);
    expect(await fleet.store.get(KEY)).toEqual(before);
  });

  it('#61 a store that cannot be read is an error, never "no login"', async () => {
    await logIn();
    fleet.store.down();
    await expect(logins.status(USER)).rejects.toMatchObject({
      code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      retryable: true,
    });
  });

  it('#61 a record that cannot be read is an error, and a new login replaces it', async () => {
    await fleet.store.put(KEY, 'not ours', null);
    await expect(logins.status(USER)).rejects.toMatchObject({ code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE' });
    await logIn();
    expect(await logins.status(USER)).toMatchObject({ state: 'active' });
  });

  it('prints no token', async () => {
    await logIn();
    expect(inspect(logins, { depth: 20, showHidden: true })).not.toMatch(/u-access-1|u-refresh-1|the-secret/);
  });

  describe('#67 an event about revoked tokens', () => {
    const both = ' user_access_token refresh_token  ';

    it.each([both, 'refresh_token '])('ends the login: %j', async (tokenTypes) => {
      await logIn();
      await fleet.clock.advance(10);
      await logins.revoked({ openId: USER, tokenTypes, at: fleet.clock.now() });
      expect(await logins.status(USER)).toMatchObject({
        state: 'reauthorization-required',
        reason: 'revoked',
      });
    });

    it('that comes twice, or late, does not touch a login from after it', async () => {
      await logIn();
      await fleet.clock.advance(10);
      const at = fleet.clock.now();
      await logins.revoked({ openId: USER, tokenTypes: both, at });
      await fleet.clock.advance(10);
      await logIn();
      await logins.revoked({ openId: USER, tokenTypes: both, at });
      expect(await logins.status(USER)).toMatchObject({ state: 'active' });
    });

    it('does not touch other users, and none who never logged in', async () => {
      await logIn('ou_b');
      await fleet.clock.advance(10);
      await logins.revoked({ openId: USER, tokenTypes: both, at: fleet.clock.now() });
      expect(await logins.status(USER)).toMatchObject({ state: 'absent' });
      expect(await logins.status('ou_b')).toMatchObject({ state: 'active' });
    });

    it('about the access token alone leaves the login to its refresh token', async () => {
      await logIn();
      await fleet.clock.advance(10);
      await logins.revoked({ openId: USER, tokenTypes: 'user_access_token ', at: fleet.clock.now() });
      expect(await logins.status(USER)).toMatchObject({
        state: 'active',
        accessTokenExpiresAt: new Date(fleet.clock.now()),
      });
    });

    it('about the access token alone ends a login that has no refresh token', async () => {
      await logIn(USER, ['im:message']);
      await fleet.clock.advance(10);
      await logins.revoked({ openId: USER, tokenTypes: 'user_access_token ', at: fleet.clock.now() });
      expect(await logins.status(USER)).toMatchObject({ reason: 'revoked' });
    });
  });
});
