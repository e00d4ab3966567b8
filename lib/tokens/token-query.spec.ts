import { createHash } from 'node:crypto';
import { type TokenQuery } from './access-token.js';
import { cacheKey, resolveQuery, type AppIdentity } from './token-query.js';
import { type AppType } from '../platform/app-type.js';

describe('resolveQuery', () => {
  it.each<[TokenQuery, AppType, string]>([
    [{ kind: 'app' }, 'self-built', ''],
    [{ kind: 'app' }, 'store', ''],
    [{ kind: 'tenant' }, 'self-built', ''],
    [{ kind: 'tenant', tenantKey: 'tenant_a' }, 'store', 'tenant_a'],
    [{ kind: 'tenant', tenantKey: '2eb1f5b8-A_9' }, 'store', '2eb1f5b8-A_9'],
    [{ kind: 'tenant', tenantKey: 'x'.repeat(128) }, 'store', 'x'.repeat(128)],
  ])('resolves %j of a %s app to the identity %j', (query, appType, identity) => {
    expect(resolveQuery(query, appType)).toEqual({ kind: query.kind, identity });
  });

  it('ignores the tenant key of an app token', () => {
    const query = { kind: 'app', tenantKey: 'tenant_a' } as TokenQuery;
    expect(resolveQuery(query, 'store')).toEqual({ kind: 'app', identity: '' });
  });

  const KIND = /^invalid token query: kind: must be 'app' or 'tenant' or 'user', not /;
  const KEY = 'tenantKey: must be 1 to 128 letters, digits, "_" or "-"';
  it.each<[what: string, query: unknown, appType: AppType, message: string | RegExp]>([
    ['no query', undefined, 'store', KIND],
    ['null', null, 'store', KIND],
    ['a string', 'tenant', 'store', KIND],
    ['no kind', {}, 'store', KIND],
    ['an unknown kind', { kind: 'alien' }, 'store', "kind: must be 'app' or 'tenant' or 'user', not 'alien'"],
    ['a kind of another case', { kind: 'Tenant' }, 'store', KIND],
    ['a kind that is inherited by every object', { kind: 'constructor' }, 'store', KIND],
    ['a kind that is a number', { kind: 1 }, 'store', /not a value of type number$/],
    ['a tenant key for a self-built app', { kind: 'tenant', tenantKey: 'a' }, 'self-built', /leave it out/],
    [
      'an empty tenant key for a self-built app',
      { kind: 'tenant', tenantKey: '' },
      'self-built',
      /leave it out/,
    ],
    ['no tenant key for a store app', { kind: 'tenant' }, 'store', /tenantKey: missing/],
    ['an empty tenant key', { kind: 'tenant', tenantKey: '' }, 'store', KEY],
    ['a tenant key that is too long', { kind: 'tenant', tenantKey: 'x'.repeat(129) }, 'store', KEY],
    ['a tenant key with a colon', { kind: 'tenant', tenantKey: 'a:b' }, 'store', KEY],
    ['a tenant key with braces', { kind: 'tenant', tenantKey: '{a}' }, 'store', KEY],
    ['a tenant key with a line break at its end', { kind: 'tenant', tenantKey: 'a\n' }, 'store', KEY],
    ['a tenant key beyond ASCII', { kind: 'tenant', tenantKey: 'ténant' }, 'store', KEY],
    ['a tenant key with a slash', { kind: 'tenant', tenantKey: '../b' }, 'store', KEY],
    ['null as tenant key', { kind: 'tenant', tenantKey: null }, 'store', KEY],
    ['a list as tenant key', { kind: 'tenant', tenantKey: ['a'] }, 'store', KEY],
    ['a number as tenant key', { kind: 'tenant', tenantKey: 42 }, 'store', KEY],
  ])('refuses %s', (_, query, appType, message) => {
    const resolve = (): unknown => resolveQuery(query as TokenQuery, appType);
    expect(resolve).toThrow(
      expect.objectContaining({ code: 'ERR_FEISHU_INVALID_ARGUMENT', retryable: false }) as Error,
    );
    expect(resolve).toThrow(message);
  });

  it('quotes only the first 40 characters of an unknown kind', () => {
    const query = { kind: 'x'.repeat(10_000) } as unknown as TokenQuery;
    expect(() => resolveQuery(query, 'store')).toThrow(/not 'x{40}'$/);
  });
});

describe('cacheKey', () => {
  const identity: AppIdentity = {
    appId: 'cli_a1b2c3',
    appSecret: 'the-secret-of-the-app',
    appType: 'store',
    openOrigin: 'https://open.feishu.cn',
    keyPrefix: 'feishu-auth',
  };
  const fingerprint = createHash('sha256').update(identity.appSecret).digest('hex').slice(0, 12);

  it('has the documented form', () => {
    const base = `open.feishu.cn:cli_a1b2c3:${fingerprint}`;
    expect(cacheKey(identity, 'app')).toBe(`feishu-auth:v1:{${base}:app}`);
    expect(cacheKey(identity, 'tenant')).toBe(`feishu-auth:v1:{${base}:tenant}`);
    expect(cacheKey(identity, 'tenant', 'tenant_a')).toBe(`feishu-auth:v1:{${base}:tenant:tenant_a}`);
    expect(cacheKey(identity, 'app_ticket')).toBe(`feishu-auth:v1:{${base}:app_ticket}`);
  });

  it('encodes characters that would break its parts or its braces', () => {
    const odd = { ...identity, keyPrefix: 'my:{app}', appId: 'a:b}c', openOrigin: 'http://127.0.0.1:3000' };
    expect(cacheKey(odd, 'app')).toBe(`my%3A%7Bapp%7D:v1:{127.0.0.1%3A3000:a%3Ab%7Dc:${fingerprint}:app}`);
  });

  it('does not contain the secret', () => {
    expect(cacheKey(identity, 'tenant', 'tenant_a')).not.toContain(identity.appSecret);
  });

  it('differs between domains, apps, secrets, prefixes, kinds and tenants', () => {
    const identities: AppIdentity[] = [
      identity,
      { ...identity, openOrigin: 'https://open.larksuite.com' },
      { ...identity, openOrigin: 'https://open.feishu.cn:8443' },
      { ...identity, appId: 'cli_other' },
      { ...identity, appSecret: 'another-secret' },
      { ...identity, keyPrefix: 'other' },
    ];
    const keys = identities.flatMap((it) => [
      cacheKey(it, 'app'),
      cacheKey(it, 'app_ticket'),
      cacheKey(it, 'tenant'),
      cacheKey(it, 'tenant', 'tenant_a'),
      cacheKey(it, 'tenant', 'tenant_b'),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
