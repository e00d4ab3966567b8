import { randomBytes } from 'node:crypto';
import { RecordCipher } from '../../store/record-cipher.js';
import { LoginCodec } from './login-codec.js';
import { type LoginRecord } from './login-record.js';

const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:user:ou_a}';
const OTHER_KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:user:ou_b}';
const LOGIN: LoginRecord = {
  generation: 'g-1',
  user: { openId: 'ou_a', unionId: 'on_a', tenantKey: 'tk', name: 'Ada' },
  scopes: ['offline_access', 'im:message'],
  authorizedAt: 1,
  tokens: {
    access: 'u-access-secret',
    accessExpiresAt: 7_200_001,
    accessLifeMs: 7_200_000,
    obtainedAt: 1,
    refresh: 'u-refresh-secret',
    refreshExpiresAt: 604_800_001,
  },
  claim: { id: 'c-1', at: 2, ms: 60_000 },
  uncertain: { since: 3, claims: ['c-0'], refusal: { code: 20064, reason: 'revoked' } },
  restUntil: 4,
};
const keys = { a: randomBytes(32), b: randomBytes(32) };
const cipher = (...ids: ('a' | 'b')[]): RecordCipher =>
  new RecordCipher(ids.map((id) => ({ id, key: keys[id] })));

describe('LoginCodec', () => {
  it.each([
    ['in the clear', undefined],
    ['encrypted', cipher('a')],
  ])('gives back %s what it was given', (_how, own) => {
    const codec = new LoginCodec(own);
    expect(codec.decode(KEY, codec.encode(KEY, LOGIN))).toEqual(LOGIN);
    const ended: LoginRecord = {
      generation: 'g-2',
      user: { openId: 'ou_a' },
      scopes: [],
      authorizedAt: 1,
      ended: { reason: 'outcome-lost', at: 9, feishuCode: 20064, logId: 'log' },
    };
    expect(codec.decode(KEY, codec.encode(KEY, ended))).toEqual(ended);
  });

  it('#68 leaves nothing readable with encryption keys, not even who logged in', () => {
    const text = new LoginCodec(cipher('a')).encode(KEY, LOGIN);
    for (const secret of ['secret', 'Ada', 'on_a', 'im:message', '7200001'])
      expect(text).not.toContain(secret);
  });

  it.each([
    ['in the clear', undefined, 'corrupt'],
    ['encrypted', cipher('a'), 'corrupt'],
  ])("#68 a record %s that was copied to another user's key does not open", (_how, own, expected) => {
    const codec = new LoginCodec(own);
    expect(codec.decode(OTHER_KEY, codec.encode(KEY, LOGIN))).toBe(expected);
  });

  it('#68 an encrypted record does not open under another key, even with its label changed', () => {
    const codec = new LoginCodec(cipher('a'));
    const forged = codec.encode(KEY, LOGIN).replace(KEY, OTHER_KEY);
    expect(codec.decode(OTHER_KEY, forged)).toBe('no-key');
  });

  it('reads what any of the keys wrote, and nothing that none of them wrote', () => {
    const text = new LoginCodec(cipher('a')).encode(KEY, LOGIN);
    expect(new LoginCodec(cipher('b', 'a')).decode(KEY, text)).toEqual(LOGIN);
    expect(new LoginCodec(cipher('b')).decode(KEY, text)).toBe('no-key');
    expect(new LoginCodec(undefined).decode(KEY, text)).toBe('no-key');
  });

  it('with encryption keys reads a record in the clear only if told to', () => {
    const text = new LoginCodec(undefined).encode(KEY, LOGIN);
    expect(new LoginCodec(cipher('a')).decode(KEY, text)).toBe('in-clear');
    expect(new LoginCodec(cipher('a'), true).decode(KEY, text)).toEqual(LOGIN);
  });

  it('does not take a record of a later version for none', () => {
    expect(new LoginCodec(undefined).decode(KEY, JSON.stringify({ version: 2, key: KEY, more: {} }))).toBe(
      'newer',
    );
  });

  it.each(['', 'null', '42', '{}', '{"version":1}', '[1]', '{"version":1,"key":"other"}'])(
    '%j is corrupt',
    (text) => {
      expect(new LoginCodec(undefined).decode(KEY, text)).toBe('corrupt');
    },
  );

  it.each([
    ['without a generation', { ...LOGIN, generation: '' }],
    ['with a time that is none', { ...LOGIN, authorizedAt: 1e300 }],
    ['with a claim of no length', { ...LOGIN, claim: { id: 'c', at: 1, ms: 0 } }],
    ['with a reason that nobody gave', { ...LOGIN, ended: { reason: 'because', at: 1 } }],
  ])('a login %s is corrupt', (_what, login) => {
    const text = JSON.stringify({ version: 1, key: KEY, login });
    expect(new LoginCodec(undefined).decode(KEY, text)).toBe('corrupt');
  });
});
