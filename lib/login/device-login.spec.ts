import { type DeviceAuthorization, type UserTokenGrant } from '../platform/oauth/oauth-grants.js';
import { OAuthFailure, type RequestFate } from '../platform/oauth/oauth-failure.js';
import { TestClock } from '../testing/test-clock.js';
import { type FeishuUser } from '../users/feishu-user.js';
import { DeviceLogin } from './device-login.js';

const AUTHORIZATION: DeviceAuthorization = {
  deviceCode: 'the-device-code',
  userCode: 'BCDF-GHJK',
  verificationUri: 'https://accounts.feishu.cn/device',
  verificationUriComplete: undefined,
  expiresInMs: 240_000,
  intervalMs: 5_000,
};
const GRANT = { accessToken: 'a' } as UserTokenGrant;
const ANN: FeishuUser = { openId: 'ou_ann', scopes: [] };

describe('DeviceLogin', () => {
  let clock: TestClock;
  let closing: AbortController;
  /** What the next polls bring; `pending` after that. */
  let answers: (UserTokenGrant | OAuthFailure)[];
  /** When it was asked, in seconds since the start. */
  let polls: number[];
  let codes: Set<string>;
  let completed: UserTokenGrant[];
  let login: DeviceLogin;
  let startedAt: number;

  beforeEach(() => {
    clock = new TestClock();
    closing = new AbortController();
    startedAt = clock.now();
    answers = [];
    polls = [];
    codes = new Set();
    completed = [];
    login = new DeviceLogin(AUTHORIZATION, startedAt + AUTHORIZATION.expiresInMs, {
      grants: {
        pollDevice: (deviceCode) => {
          codes.add(deviceCode);
          polls.push((clock.now() - startedAt) / 1_000);
          const answer = answers.shift() ?? refusal('authorization_pending');
          return answer instanceof OAuthFailure ? Promise.reject(answer) : Promise.resolve(answer);
        },
      },
      clock,
      complete: (grant) => {
        completed.push(grant);
        return Promise.resolve(ANN);
      },
      closing: closing.signal,
    });
  });

  function refusal(
    oauthError: string | undefined,
    fate: RequestFate = 'refused',
    retryable = false,
  ): OAuthFailure {
    return new OAuthFailure('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'no', fate, { oauthError, retryable });
  }

  it('asks first after one interval, then once an interval, until the user has agreed', async () => {
    answers = [refusal('authorization_pending'), refusal('authorization_pending'), GRANT];
    const user = login.wait();
    await clock.advance(4_999);
    expect(polls).toEqual([]);
    await clock.advance(10_001);
    expect(await user).toEqual(ANN);
    expect(polls).toEqual([5, 10, 15]);
    expect(completed).toEqual([GRANT]);
    expect([...codes]).toEqual(['the-device-code']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks 5 s later each time Feishu says slow_down, and once a minute at least', async () => {
    answers = Array.from({ length: 14 }, () => refusal('slow_down'));
    const user = login.wait({ signal: AbortSignal.timeout(1_000_000) });
    user.catch(() => undefined);
    await clock.advance(239_000);
    expect(polls).toEqual([5, 15, 30, 50, 75, 105, 140, 180, 225]);
  });

  it('goes on a second slower after a poll without an answer', async () => {
    answers = [refusal(undefined, 'unknown', true), refusal(undefined, 'not-sent', true), GRANT];
    const user = login.wait();
    await clock.advance(20_000);
    expect(await user).toEqual(ANN);
    expect(polls).toEqual([5, 11, 18]);
  });

  it.each([
    ['access_denied', 'the user denied the login'],
    ['expired_token', 'ran out'],
    ['invalid_grant', 'ran out'],
  ])('ends with ERR_FEISHU_LOGIN_REJECTED at %s', async (oauthError, message) => {
    answers = [refusal(oauthError)];
    const user = login.wait();
    await Promise.all([
      expect(user).rejects.toMatchObject({
        code: 'ERR_FEISHU_LOGIN_REJECTED',
        retryable: false,
        message: expect.stringContaining(message),
      }),
      clock.advance(5_000),
    ]);
    await expect(login.wait()).rejects.toMatchObject({ code: 'ERR_FEISHU_LOGIN_REJECTED' });
    expect(polls).toEqual([5]);
  });

  it('ends with the refusal of the app', async () => {
    answers = [new OAuthFailure('ERR_FEISHU_CREDENTIALS_REJECTED', 'secret', 'refused')];
    const user = login.wait();
    await Promise.all([
      expect(user).rejects.toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED' }),
      clock.advance(5_000),
    ]);
  });

  it('ends by itself when the time is over, although Feishu goes on saying that it waits', async () => {
    const user = login.wait();
    await Promise.all([
      expect(user).rejects.toMatchObject({ code: 'ERR_FEISHU_LOGIN_REJECTED' }),
      clock.advance(240_000),
    ]);
    expect(polls).toHaveLength(47);
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks once for all who wait', async () => {
    answers = [GRANT];
    const users = Promise.all([login.wait(), login.wait(), login.wait()]);
    await clock.advance(5_000);
    expect(await users).toEqual([ANN, ANN, ANN]);
    expect(polls).toEqual([5]);
    expect(await login.wait()).toEqual(ANN);
  });

  it('stops to ask when nobody waits any more, and goes on with the next', async () => {
    const giveUp = new AbortController();
    const reason = new Error('the user left');
    const user = login.wait({ signal: giveUp.signal });
    await clock.advance(6_000);
    giveUp.abort(reason);
    await expect(user).rejects.toBe(reason);
    await clock.advance(60_000);
    expect(polls).toEqual([5]);
    expect(clock.pendingTimers).toBe(0);
    answers = [GRANT];
    const again = login.wait();
    await clock.advance(5_000);
    expect(await again).toEqual(ANN);
    expect(polls).toEqual([5, 71]);
  });

  it('asks on for the others when one gives up', async () => {
    const giveUp = new AbortController();
    const first = login.wait({ signal: giveUp.signal });
    const second = login.wait();
    giveUp.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    answers = [GRANT];
    await clock.advance(5_000);
    expect(await second).toEqual(ANN);
  });

  it('does not begin for a signal that is aborted', async () => {
    await expect(login.wait({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(60_000);
    expect(polls).toEqual([]);
  });

  it('ends with ERR_FEISHU_CLOSED when the application closes', async () => {
    const user = login.wait();
    closing.abort();
    await expect(user).rejects.toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    expect(clock.pendingTimers).toBe(0);
  });
});
