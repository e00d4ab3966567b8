import { checkedOpenId, loginKey, openIdOf } from './login-key.js';

const OWNER = { keyPrefix: 'feishu-auth', openOrigin: 'https://open.feishu.cn', appId: 'cli_a' };

describe('loginKey', () => {
  it('names the prefix, the host, the app and the user, and not the secret', () => {
    expect(loginKey(OWNER, 'ou_a')).toBe('feishu-auth:v1:{open.feishu.cn:cli_a:user:ou_a}');
  });

  it('#68 two users, apps, domains and prefixes have keys that differ', () => {
    const owners = [
      OWNER,
      { ...OWNER, appId: 'cli_b' },
      { ...OWNER, openOrigin: 'https://open.larksuite.com' },
      { ...OWNER, openOrigin: 'https://open.feishu.cn:8443' },
      { ...OWNER, keyPrefix: 'other' },
      { ...OWNER, keyPrefix: 'feishu-auth:v1:{open.feishu.cn' },
    ];
    const keys = owners.flatMap((owner) => ['ou_a', 'ou_b'].map((openId) => loginKey(owner, openId)));
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys.slice(2)) expect(openIdOf(OWNER, key)).toBeUndefined();
  });

  it('gives the user back', () => {
    expect(openIdOf(OWNER, loginKey(OWNER, 'ou_a'))).toBe('ou_a');
    expect(openIdOf(OWNER, 'feishu-auth:v1:{open.feishu.cn:cli_a:user:ou_a')).toBeUndefined();
  });

  it.each(['', 'a:b', 'a}', 'ou a', 'x'.repeat(129), undefined, 42, null])(
    '%p is not an open_id',
    (openId) => {
      expect(() => checkedOpenId(openId)).toThrow(
        expect.objectContaining({ code: 'ERR_FEISHU_INVALID_ARGUMENT' }),
      );
    },
  );
});
