import { RecordCipher } from '../store/record-cipher.js';
import { loginCipher } from './login-secret.js';
import { isSameText, type PendingLogin, PendingLoginSeal } from './pending-login.js';

const LOGIN: PendingLogin = {
  state: 'the-state',
  codeVerifier: 'the-verifier',
  redirectUri: 'https://app.example.test/auth/feishu/callback',
  returnTo: '/home',
  expiresAt: 1_000,
};
const SECRET = { appId: 'cli_a', appSecret: 'the-app-secret', encryptionKeys: [] };
const KEY_A = { id: 'a', key: new Uint8Array(32).fill(1) };
const KEY_B = { id: 'b', key: new Uint8Array(32).fill(2) };

const seal = (secret: Parameters<typeof loginCipher>[0] = SECRET, purpose = 'one'): PendingLoginSeal =>
  new PendingLoginSeal(loginCipher(secret), purpose);

describe('PendingLoginSeal', () => {
  it('opens what was sealed with the same secret for the same purpose, each time in other words', () => {
    const sealed = seal().seal(LOGIN);
    expect(seal().open(sealed)).toEqual(LOGIN);
    expect(seal().seal(LOGIN)).not.toBe(sealed);
    for (const secret of Object.values(LOGIN)) expect(sealed).not.toContain(String(secret));
  });

  it.each([
    ['another app secret', { ...SECRET, appSecret: 'other' }, 'one'],
    ['another app', { ...SECRET, appId: 'cli_b' }, 'one'],
    ['another purpose', SECRET, 'two'],
    ['encryption keys', { ...SECRET, encryptionKeys: [KEY_A] }, 'one'],
  ])('does not open with %s', (_, secret, purpose) => {
    expect(seal(secret, purpose).open(seal().seal(LOGIN))).toBeUndefined();
  });

  it('seals with the first encryption key and opens with all, without an app secret', () => {
    const before = { appId: 'cli_a', appSecret: undefined, encryptionKeys: [KEY_A] };
    const after = { ...before, encryptionKeys: [KEY_B, KEY_A] };
    expect(seal(after).open(seal(before).seal(LOGIN))).toEqual(LOGIN);
    expect(seal(before).open(seal(after).seal(LOGIN))).toBeUndefined();
  });

  it('seals with a key of its own, not with the one that seals tokens', () => {
    const options = { appId: 'cli_a', appSecret: undefined, encryptionKeys: [KEY_A] };
    const sealed = loginCipher(options).seal('text', 'one');
    expect(loginCipher(options).open(sealed, 'one')).toBe('text');
    expect(new RecordCipher([KEY_A]).open(sealed, 'one')).toBeUndefined();
  });

  it('needs a secret or a key', () => {
    expect(() => loginCipher({ appId: 'cli_a', appSecret: undefined, encryptionKeys: [] })).toThrow(
      'the app secret or encryptionKeys',
    );
  });

  it.each(['', 'x', '|||', 'a|b|c|d', 'a|b|c|d|e'])('does not open %j', (text) => {
    expect(seal().open(text)).toBeUndefined();
  });

  it('does not open what holds something else', () => {
    const cipher = loginCipher(SECRET);
    for (const text of ['[]', 'no json', '{"state":1}']) {
      const { keyId, iv, tag, data } = cipher.seal(text, 'one');
      expect(seal().open([keyId, iv, tag, data].join('|'))).toBeUndefined();
    }
  });
});

it('isSameText compares texts of any length', () => {
  expect(isSameText('', '')).toBe(true);
  expect(isSameText('abc', 'abc')).toBe(true);
  expect(isSameText('abc', 'abd')).toBe(false);
  expect(isSameText('abc', 'abcd')).toBe(false);
});
