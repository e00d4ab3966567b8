import { resolveTarget } from './target-url.js';

const OPEN = 'https://open.feishu.cn';
const resolve = (input: unknown, origin = OPEN): string => resolveTarget(input as string, origin).href;

describe('resolveTarget', () => {
  it.each([
    ['/open-apis/bot/v3/info', `${OPEN}/open-apis/bot/v3/info`],
    ['/open-apis/x?q=a%5Cb&at=@home#part', `${OPEN}/open-apis/x?q=a%5Cb&at=@home#part`],
    ['/open-apis/x?q=a\\b', `${OPEN}/open-apis/x?q=a\\b`],
    [`${OPEN}/open-apis/x`, `${OPEN}/open-apis/x`],
    [`${OPEN}:443/open-apis/x`, `${OPEN}/open-apis/x`],
    ['HTTPS://OPEN.FEISHU.CN/open-apis/x', `${OPEN}/open-apis/x`],
    [new URL('/open-apis/x', OPEN), `${OPEN}/open-apis/x`],
  ])('takes %s', (input, expected) => {
    expect(resolve(input)).toBe(expected);
  });

  it('keeps the port of a private deployment', () => {
    expect(resolve('/x', 'http://127.0.0.1:3000')).toBe('http://127.0.0.1:3000/x');
  });

  it.each([
    ['another host', 'https://evil.com/open-apis/x'],
    ['another host, as a URL', new URL('https://evil.com/open-apis/x')],
    ['a sibling host', 'https://accounts.feishu.cn/x'],
    ['a host that begins alike', 'https://open.feishu.cn.evil.com/x'],
    ['another scheme', 'http://open.feishu.cn/x'],
    ['another port', 'https://open.feishu.cn:8443/x'],
    ['no scheme', '//evil.com/x'],
    ['no scheme, right host', '//open.feishu.cn/x'],
    ['three slashes', '///evil.com/x'],
    ['a backslash for the second slash', '/\\evil.com/x'],
    ['two backslashes', '\\\\evil.com/x'],
    ['a backslash before user info', 'https://open.feishu.cn\\@evil.com/x'],
    ['a backslash in the path', '/open-apis\\..\\x'],
    ['a tab that parsers drop', '/\t/evil.com/x'],
    ['a line feed', '/open-apis/x\n'],
    ['leading blanks', ' https://open.feishu.cn/x'],
    ['user info', 'https://user:pass@open.feishu.cn/x'],
    ['a user', 'https://user@open.feishu.cn/x'],
    ['user info that looks like the host', 'https://open.feishu.cn@evil.com/x'],
    ['a relative path', 'open-apis/x'],
    ['nothing', ''],
    ['data', 'data:application/json,{}'],
    ['no string', undefined],
    ['a request', new Request(`${OPEN}/x`)],
  ])('refuses %s', (_what, input) => {
    expect(() => resolve(input)).toThrow(expect.objectContaining({ code: 'ERR_FEISHU_INVALID_ARGUMENT' }));
  });

  it('does not quote the target in the message', () => {
    expect(() => resolve('https://user:hunter2@evil.com/x?secret=1')).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/hunter2|secret|evil/) }),
    );
  });
});
