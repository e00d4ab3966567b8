import { OAUTH_CODES, type OAuthReaction } from './oauth-codes.js';

/** Every code of Feishu's pages on the token endpoint, and of the official tools. */
const EXPECTED: readonly (readonly [reaction: OAuthReaction, codes: readonly number[]])[] = [
  ['retry', [20050, 20072, 99991400]],
  ['login-over', [20026, 20037, 20064, 20073]],
  ['user-blocked', [20008, 20010, 20021, 20022, 20066]],
  ['app', [20002, 20009, 20048, 20069, 20074]],
  ['challenge', [21000, 21001]],
  ['login-refused', [20003, 20004, 20049, 20065, 20071]],
  ['mistake', [20001, 20024, 20036, 20063, 20067, 20068, 20070, 1106072]],
];

describe('OAUTH_CODES', () => {
  it.each(EXPECTED)('has the reaction %s for %j', (reaction, codes) => {
    const found = [...OAUTH_CODES].filter(([, meaning]) => meaning.reaction === reaction);
    expect(found.map(([code]) => code).toSorted((a, b) => a - b)).toEqual(codes);
  });

  it('says what is wrong for every code', () => {
    for (const { hint } of OAUTH_CODES.values()) expect(hint).toMatch(/\w+ \w+/);
  });

  it('gives a reason exactly for the codes that end a login', () => {
    for (const { reaction, reason, error } of OAUTH_CODES.values()) {
      const endsLogin = reaction === 'login-over' || reaction === 'user-blocked';
      expect(reason !== undefined).toBe(endsLogin);
      expect(error === 'ERR_FEISHU_REAUTHORIZATION_REQUIRED').toBe(endsLogin);
    }
  });

  it('tells a login that expired from one that was revoked', () => {
    expect([20037, 20026, 20064, 20073].map((code) => OAUTH_CODES.get(code)?.reason)).toEqual([
      'expired',
      'revoked',
      'revoked',
      'revoked',
    ]);
  });
});
