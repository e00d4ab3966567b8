import { request } from 'node:http';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { redact } from './redact.js';
import { redactText } from './redact-text.js';

const TOKEN = 't-g1044ghJRUIJJ5ZPPZMOHKWZISL33E4QSS3abcef';
const SECRET = 'dskLLdkasdjlasdKK';

function shown(value: unknown): string {
  return inspect(value, { depth: Infinity, showHidden: true });
}

describe('redactText', () => {
  it.each([
    ['a bearer', `Authorization: Bearer ${TOKEN}`, 'Authorization: Bearer [redacted]'],
    ['a bearer of any looks', 'Bearer what.ever/it=is, more', 'Bearer [redacted], more'],
    ['a token by its looks', `the token ${TOKEN}!`, 'the token [redacted]!'],
    ['a user token', 'u-Q7JWnaIM_kRChuLfreHmpArjOEayt.5XUBJZZ', '[redacted]'],
    ['a JSON web token', 'x eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiI3.c2lnbmF0dXJl y', 'x [redacted] y'],
    [
      'a field of JSON',
      `{"app_id":"cli_1","app_secret":"${SECRET}"}`,
      '{"app_id":"cli_1","app_secret":"[redacted]"}',
    ],
    [
      'a field of nested JSON text',
      `{"data":"{\\"app_secret\\": \\"${SECRET}\\"}"}`,
      `{"data":"{\\"app_secret\\": \\"[redacted]\\"}"}`,
    ],
    ['a field as node prints it', `{ AppSecret: '${SECRET}', a: 1 }`, `{ AppSecret: '[redacted]', a: 1 }`],
    [
      'a query',
      'wss://host/ws?device_id=1&access_key=abc&ticket=def&b=2',
      'wss://host/ws?device_id=1&access_key=[redacted]&ticket=[redacted]&b=2',
    ],
    [
      'the code of a grant',
      '{"grant_type":"authorization_code","code":"abc"}',
      '{"grant_type":"authorization_code","code":"[redacted]"}',
    ],
    ['user info', 'http://me:pass@proxy:80/', 'http://[redacted]@proxy:80/'],
  ])('takes out %s', (_what, text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    'a-very-long-word-with-hyphens-in-it and x-custom-header-name',
    '{"code":99991663,"msg":"Invalid access token for authorization."}',
    '{"code":"ECONNRESET","page_token":"abc"}',
    '550e8400-e29b-41d4-a716-446655440000',
    'use cache token',
  ])('leaves alone: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('removes the given secrets', () => {
    expect(redactText(`so ${SECRET} it is`, [SECRET, ''])).toBe('so [redacted] it is');
  });
});

describe('redact', () => {
  it('returns a copy and does not change the value', () => {
    const original = {
      headers: { Authorization: `Bearer ${TOKEN}` },
      list: [{ app_secret: SECRET }, 'plain'],
      n: 1,
    };
    const before = structuredClone(original);
    expect(redact(original)).toEqual({
      headers: { Authorization: '[redacted]' },
      list: [{ app_secret: '[redacted]' }, 'plain'],
      n: 1,
    });
    expect(original).toEqual(before);
  });

  it('recognises names in every spelling', () => {
    const names = [
      'Authorization',
      'x-lark-helpdesk-authorization',
      'appSecret',
      'APP_SECRET',
      'Set-Cookie',
      'refreshToken',
    ];
    for (const name of names) expect(redact({ [name]: SECRET })).toEqual({ [name]: '[redacted]' });
    const harmless = { page_token: 'p', code: 'ECONNRESET', tokens: 3, app_secret: undefined };
    expect(redact(harmless)).toEqual(harmless);
    expect(redact({ grant_type: 'authorization_code', code: 'c' })).toHaveProperty('code', '[redacted]');
  });

  it('copies an error as an error with code, stack and cause', () => {
    const cause = new Error(`refused ${TOKEN}`);
    const error = Object.assign(new TypeError(`of ${TOKEN}`, { cause }), {
      code: 'E_ONE',
      config: { data: `"app_secret":"${SECRET}"` },
    });
    const copy = redact(error) as Error;
    expect(copy).toMatchObject({ name: 'TypeError', message: 'of [redacted]', code: 'E_ONE' });
    expect(copy.stack).toContain('redact.spec');
    expect(copy.cause).toHaveProperty('message', 'refused [redacted]');
    expect(shown(copy)).not.toMatch(new RegExp(`${TOKEN}|${SECRET}`));
    expect(error.message).toContain(TOKEN);
  });

  it('keeps the errors of an AggregateError', () => {
    const copy = redact(new AggregateError([new Error(`refused ${TOKEN}`)], 'all refused')) as AggregateError;
    expect(copy.errors).toEqual([new Error('refused [redacted]')]);
  });

  it('handles 100 kB of hostile text within 5 s', () => {
    const start = performance.now();
    for (const piece of ['\\', '"', 'eyJ-', 'a-', '//a:', '"app_secret":"', 'token=', 'Bearer ', 't-a.']) {
      redactText(piece.repeat(100_000 / piece.length));
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('copies circular and deep values', () => {
    const circle: Record<string, unknown> = { token: SECRET };
    circle['self'] = circle;
    circle['error'] = Object.assign(new Error('e'), { circle });
    const copy = redact(circle) as Record<string, unknown>;
    expect(copy['self']).toBe(copy);
    expect(shown(copy)).not.toContain(SECRET);

    let deep: object = { app_secret: SECRET };
    for (let level = 0; level < 50; level++) deep = { deep };
    expect(shown(redact(deep))).not.toContain(SECRET);
  });

  it('replaces live objects with their names', () => {
    const live = request({
      host: '127.0.0.1',
      port: 9,
      path: `/x?access_token=${SECRET}`,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    live.on('error', () => undefined);
    live.destroy();
    const copy = redact({
      live,
      stream: Readable.from(['a']),
      bytes: Buffer.from(SECRET),
      url: new URL(`http://h/?access_token=${SECRET}`),
      when: new Date(0),
      f() {},
    });
    expect(copy).toEqual({
      live: '[ClientRequest GET 127.0.0.1/x?access_token=[redacted]]',
      stream: '[Readable]',
      bytes: `[Buffer, ${SECRET.length} bytes]`,
      url: 'http://h/?access_token=[redacted]',
      when: new Date(0),
      f: '[function f]',
    });
  });

  it('copies maps and sets, and ignores symbol keys', () => {
    expect(redact(new Map([['app_secret', SECRET]]))).toEqual({ app_secret: '[redacted]' });
    expect(redact(new Set([`Bearer ${TOKEN}`]))).toEqual(['Bearer [redacted]']);
    expect(shown(redact({ [Symbol('user')]: TOKEN }))).not.toContain(TOKEN);
  });
});
