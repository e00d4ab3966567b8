import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type FeishuAuthModuleOptions } from '../feishu-auth.options.js';
import { resolveOptions } from '../feishu-auth.options.schema.js';
import { InMemoryUserTokenStore } from './store/in-memory-user-token-store.js';
import { type UserOptions } from './user-options.js';

const APP = { appId: 'cli_a1b2c3', appSecret: 'the-secret-of-the-app' };
const store = new InMemoryUserTokenStore();
/** The least that a store must have. */
const withoutDueBefore = { get() {}, put() {}, delete() {} };

function problemOf(users: object, more: Partial<FeishuAuthModuleOptions> = {}): string {
  try {
    resolveOptions({ ...APP, ...more, users: users as UserOptions });
  } catch (error) {
    if (isFeishuAuthError(error, 'ERR_FEISHU_CONFIG_INVALID')) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the option users', () => {
  it('needs a store and nothing else', () => {
    expect(resolveOptions({ ...APP, users: { store } }).users).toEqual({
      store,
      redirectUri: undefined,
      scopes: ['offline_access'],
      oauth: 'v3',
      keepAlive: false,
      claimMs: 60_000,
      acceptUnencrypted: false,
    });
  });

  it('keeps what was given', () => {
    const users = {
      store,
      redirectUri: 'https://app.example/login/callback?from=feishu',
      scopes: ['im:message', 'offline_access'],
      oauth: 'v2',
      keepAlive: { beforeMs: 3_600_000 },
      claimMs: 20_000,
      acceptUnencrypted: true,
    } as const;
    expect(resolveOptions({ ...APP, users }).users).toEqual(users);
  });

  it('has a claim that outlives two requests, however long they may take', () => {
    const refresh = { requestTimeoutMs: 40_000, lockTtlMs: 80_000 };
    expect(resolveOptions({ ...APP, refresh, users: { store } }).users?.claimMs).toBe(90_000);
  });

  it.each([
    'http://localhost:3000/cb',
    'http://127.0.0.1/cb',
    'http://[::1]/cb',
    'https://a.example/cb#/login',
  ])('redirectUri may be %s', (redirectUri) => {
    expect(resolveOptions({ ...APP, users: { store, redirectUri } }).users?.redirectUri).toBe(redirectUri);
  });

  it.each<[string, object, RegExp]>([
    ['no store', {}, /users\.store: is required: the store of user logins/],
    ['a store without put', { store: { get() {}, delete() {} } }, /users\.store: must be a UserTokenStore/],
    ['a path as redirectUri', { store, redirectUri: '/cb' }, /users\.redirectUri: must be an absolute URL/],
    ['http to another host', { store, redirectUri: 'http://a.example/cb' }, /users\.redirectUri: .*loopback/],
    ['user info', { store, redirectUri: 'https://u:p@a.example/cb' }, /users\.redirectUri: .*user info/],
    ['a scope with a blank', { store, scopes: ['a b'] }, /users\.scopes\.0: must be a scope without blanks/],
    ['a scope twice', { store, scopes: ['a', 'a'] }, /users\.scopes: must not name a scope twice/],
    ['another version', { store, oauth: 'v1' }, /users\.oauth: must be 'v3' or 'v2'/],
    ['keepAlive: true', { store, keepAlive: true }, /users\.keepAlive: must be an object: \{ beforeMs \}/],
    ['a time that is none', { store, keepAlive: { beforeMs: Number.NaN } }, /users\.keepAlive\.beforeMs: /],
    [
      'keepAlive without dueBefore',
      { store: withoutDueBefore, keepAlive: {} },
      /users\.keepAlive: needs a store that lists what is due/,
    ],
    ['a short claim', { store, claimMs: 19_999 }, /users\.claimMs: .* at least 20000/],
    ['a misspelled option', { store, scope: [] }, /users\.scope: unknown option/],
  ])('refuses %s', (_what, users, problem) => {
    expect(problemOf(users)).toMatch(problem);
  });
});
