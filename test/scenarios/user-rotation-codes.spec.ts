import { type FeishuAuthError, type FeishuAuthErrorCode } from '../../lib/errors/feishu-auth.error.js';
import { type ReauthorizationReason } from '../../lib/errors/reauthorization-reason.js';
import { OAUTH_CODES } from '../../lib/platform/oauth/oauth-codes.js';
import { CLAIM_MS, LoginFleet, USER, type LoginProcess } from '../fixtures/login-fleet.js';
import { networkError, type OAuthFault } from '../fixtures/scripted-oauth.js';

/** What follows from a code. One row a code of the table in the facts, and of the documentation of the token endpoint. */
interface Reaction {
  readonly error: FeishuAuthErrorCode;
  readonly retryable: boolean;
  /** How often the refresh token is sent before the caller hears of it. */
  readonly sent: 1 | 2;
  /** Why the login has ended; absent if it stays. */
  readonly ends?: ReauthorizationReason;
}

const passing: Reaction = { error: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true, sent: 2 };
const ended = (ends: ReauthorizationReason): Reaction => ({
  error: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
  retryable: false,
  sent: 1,
  ends,
});
const stays = (error: FeishuAuthErrorCode): Reaction => ({ error, retryable: false, sent: 1 });
const app = stays('ERR_FEISHU_CREDENTIALS_REJECTED');
const login = stays('ERR_FEISHU_LOGIN_REJECTED');
const mistake = stays('ERR_FEISHU_INVALID_ARGUMENT');
const challenge = stays('ERR_FEISHU_ACCESS_CHALLENGED');

type Row = readonly [code: number, status: number, reaction: Reaction];

const TABLE: readonly Row[] = [
  [20001, 400, mistake],
  [20002, 400, app],
  [20003, 400, login],
  [20004, 400, login],
  [20008, 400, ended('user-disabled')],
  [20009, 400, app],
  [20010, 400, ended('user-disabled')],
  [20021, 400, ended('user-disabled')],
  [20022, 400, ended('user-disabled')],
  [20024, 400, stays('ERR_FEISHU_CONFIG_INVALID')],
  [20026, 400, ended('revoked')],
  [20036, 400, mistake],
  [20037, 400, ended('expired')],
  [20048, 400, app],
  [20049, 400, login],
  [20050, 500, passing],
  [20063, 400, mistake],
  [20064, 400, ended('revoked')],
  [20065, 400, login],
  [20066, 400, ended('user-disabled')],
  [20067, 400, mistake],
  [20068, 400, mistake],
  [20069, 400, app],
  [20070, 400, mistake],
  [20071, 400, login],
  [20072, 503, passing],
  [20073, 400, ended('revoked')],
  [20074, 400, app],
  [21000, 400, challenge],
  [21001, 400, challenge],
  [99991400, 429, { error: 'ERR_FEISHU_RATE_LIMITED', retryable: true, sent: 1 }],
  [1106072, 400, stays('ERR_FEISHU_CONFIG_INVALID')],
  // A code that is not documented never ends a login.
  [424_242, 400, { error: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true, sent: 1 }],
  [20999, 403, { error: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true, sent: 1 }],
];

const answer = (code: number, status = 400): OAuthFault => ({
  status,
  body: {
    code,
    error: 'some_error',
    error_description: 'told',
    challenge_url: 'https://accounts.feishu.cn/c',
  },
});

describe('the reaction to each code of the token endpoint', () => {
  let fleet: LoginFleet;
  let process: LoginProcess;
  let other: LoginProcess;

  beforeEach(async () => {
    fleet = new LoginFleet();
    process = fleet.process();
    other = fleet.process();
    await fleet.logIn(process);
    await fleet.advanceTo('dead');
  });

  const failure = (of: LoginProcess): Promise<FeishuAuthError> =>
    fleet.settle(
      of.read().then(
        (token) => {
          throw new Error(`got the token ${token}`);
        },
        (error: FeishuAuthError) => error,
      ),
    );

  it('covers every code that the module knows', () => {
    const rows = new Set(TABLE.map(([code]) => code));
    expect([...OAUTH_CODES.keys()].filter((code) => !rows.has(code))).toEqual([]);
  });

  /** The caller hears of the code, and the refresh token was sent as often as the row says. */
  async function refusedWith([code, status, { error, retryable, sent, ends }]: Row): Promise<void> {
    fleet.feishu.outage = answer(code, status);
    const expected = { code: error, retryable, feishuCode: code, ...(ends && { reason: ends }) };
    expect(await failure(process)).toMatchObject(expected);
    expect(fleet.feishu.exchanges).toHaveLength(sent);
    fleet.feishu.outage = undefined;
  }

  it.each(TABLE.filter(([, , { ends }]) => ends))('#64 %i (HTTP %i) ends the login', async (...row) => {
    const [code, , { ends, sent }] = row;
    await refusedWith(row);
    expect(await process.status()).toMatchObject({ state: 'reauthorization-required', reason: ends });
    const stored = await fleet.login();
    expect(stored).toMatchObject({ ended: { reason: ends, feishuCode: code }, user: { name: 'Ada' } });
    expect(stored?.tokens).toBeUndefined();
    expect((await failure(other)).reason).toBe(ends);
    expect(fleet.feishu.exchanges).toHaveLength(sent);
    // A later login heals it.
    await fleet.logIn(other);
    expect(await fleet.settle(process.read())).toBe('u-access-2');
  });

  it.each(TABLE.filter(([, , { ends }]) => !ends))(
    '#64 #65 %i (HTTP %i) leaves the login',
    async (...row) => {
      await refusedWith(row);
      expect(await process.status()).toMatchObject({ state: 'active' });
      const stored = await fleet.login();
      expect(stored).toMatchObject({ tokens: { refresh: 'u-refresh-1' } });
      expect(stored).not.toHaveProperty('claim');
      expect(stored).not.toHaveProperty('uncertain');
      await fleet.clock.advance(60_000);
      expect(await fleet.settle(other.read())).toBe('u-access-2');
    },
  );

  it.each([20026, 20037, 20064, 20073])(
    '#64 %i: another process was faster, so its login is adopted',
    async (code) => {
      process.gate.pauseAtPoint('fetch, after');
      fleet.feishu.next(answer(code));
      const read = process.read();
      await fleet.clock.advance(1);
      await fleet.logIn(other);
      process.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      expect(await process.status()).toMatchObject({ state: 'active' });
    },
  );

  it.each([
    [20026, 'outcome-lost'],
    [20037, 'expired'],
    [20064, 'outcome-lost'],
    [20073, 'outcome-lost'],
  ] as const)('#57 %i after an uncertain outcome: a claim of waiting, then %s', async (code, reason) => {
    fleet.feishu.next({ throws: networkError('ECONNRESET') }, answer(code));
    expect(await failure(process)).toMatchObject({ retryable: true });
    const waiting = await failure(process);
    expect(waiting).toMatchObject({
      code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      retryable: true,
      feishuCode: code,
    });
    expect(waiting.retryAt?.getTime()).toBeGreaterThan(fleet.clock.now() + CLAIM_MS - 10_000);
    expect(await process.status()).toMatchObject({ state: 'active' });
    await fleet.clock.advance(CLAIM_MS);
    expect(await failure(process)).toMatchObject({ reason, feishuCode: code });
    expect(await process.status()).toMatchObject({ reason });
    expect(fleet.feishu.exchanges).toHaveLength(2);
  });

  it('20064 after 20050: Feishu may have used the token when it failed, so a claim is waited for', async () => {
    fleet.feishu.next(answer(20050, 500), answer(20064));
    expect(await failure(process)).toMatchObject({ retryable: true });
    await fleet.clock.advance(CLAIM_MS);
    expect((await failure(process)).reason).toBe('outcome-lost');
  });

  it.each([
    [20008, 'user-disabled'],
    [20066, 'user-disabled'],
  ] as const)('%i after an uncertain outcome ends the login at once: %s', async (code, reason) => {
    fleet.feishu.next({ throws: networkError('ECONNRESET') }, answer(code));
    await failure(process);
    expect((await failure(process)).reason).toBe(reason);
  });

  it.each([20002, 20048, 20069, 20074])('%i: the app is not asked about for every user', async (code) => {
    await fleet.logIn(process, 'ou_b');
    await fleet.clock.advance(7_200_000);
    fleet.feishu.outage = answer(code);
    await failure(process);
    for (let i = 0; i < 10; i++) {
      const error = await fleet.settle(process.read('ou_b').catch((caught: unknown) => caught));
      expect(error).toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED', feishuCode: code });
    }
    expect(fleet.feishu.exchanges).toHaveLength(1);
    fleet.feishu.outage = undefined;
    await fleet.clock.advance(60_000);
    expect(fleet.feishu.ownerOf(await fleet.settle(process.read('ou_b')))).toBe('ou_b');
  });

  it('99991400: no process asks before Feishu wants to be asked again', async () => {
    fleet.feishu.next({ ...answer(99991400, 429), headers: { 'x-ogw-ratelimit-reset': '30' } });
    expect((await failure(process)).retryAt).toEqual(new Date(fleet.clock.now() + 30_000));
    await fleet.clock.advance(29_000);
    await failure(process);
    expect(fleet.feishu.exchanges).toHaveLength(1);
    await fleet.clock.advance(1_000);
    expect(await fleet.settle(process.read())).toBe('u-access-2');
  });

  it('#65 21000 carries the link for the user', async () => {
    fleet.feishu.next(answer(21000));
    expect((await failure(process)).challengeUrl).toBe('https://accounts.feishu.cn/c');
  });

  it('an answer that is not documented costs no login', async () => {
    for (const body of [{ code: 'x' }, { code: null, error: 'no_such_error' }, { error: 'invalid_grant' }]) {
      fleet.feishu.next({ status: 400, body });
      expect(await failure(process)).toMatchObject({ retryable: true });
    }
    expect(await process.status(USER)).toMatchObject({ state: 'active' });
  });
});
