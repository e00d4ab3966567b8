import * as v from 'valibot';
import { group, isSafeOrigin, ms, withMethods } from '../feishu-auth.options.checks.js';
import { type UserTokenStore } from './store/user-token-store.js';
import { type ResolvedUserOptions } from './user-options.js';

const DEFAULT_CLAIM_MS = 60_000;
export const DEFAULT_BEFORE_MS = 86_400_000;
/** Of a claim, what is left for storing the tokens once they were exchanged. */
const COMMIT_MS = 10_000;

const scope = v.pipe(
  v.string('must be a scope, e.g. offline_access'),
  v.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope without blanks, e.g. offline_access'),
);

const keepAlive = group({ beforeMs: v.optional(ms, DEFAULT_BEFORE_MS) });

/** What is wrong with one option by itself. */
export const userOptions = group({
  store: withMethods<UserTokenStore>(
    ['get', 'put', 'delete'],
    'must be a UserTokenStore, e.g. new FileUserTokenStore({ directory })',
  ),
  redirectUri: v.optional(
    v.pipe(
      v.string('must be an absolute URL'),
      v.check(isRedirectUri, 'must be an absolute URL without user info, https or http on a loopback host'),
    ),
  ),
  scopes: v.optional(
    v.pipe(
      v.array(scope, 'must be a list of scopes'),
      v.check(
        (scopes) => new Set(scopes).size === scopes.length,
        'must not name a scope twice: Feishu refuses it (20067)',
      ),
    ),
    ['offline_access'],
  ),
  oauth: v.optional(v.picklist(['v3', 'v2'], "must be 'v3' or 'v2'"), 'v3'),
  keepAlive: v.optional(
    v.lazy((value) => (value === false ? v.literal(false) : keepAlive)),
    false,
  ),
  claimMs: v.optional(ms),
  acceptUnencrypted: v.optional(v.boolean('must be true or false'), false),
});

type ParsedUserOptions = v.InferOutput<typeof userOptions>;

/** What is wrong with options together. */
export function userProblems(users: ParsedUserOptions, requestTimeoutMs: number): string[] {
  const problems: string[] = [];
  const least = leastClaimMs(requestTimeoutMs);
  if (users.claimMs !== undefined && users.claimMs < least) {
    problems.push(
      `users.claimMs: is too short for two requests and storing what they bring: must be at least ${least}, or lower refresh.requestTimeoutMs`,
    );
  }
  if (users.keepAlive !== false && typeof users.store.dueBefore !== 'function') {
    problems.push(
      'users.keepAlive: needs a store that lists what is due: add dueBefore() to users.store, or set keepAlive: false',
    );
  }
  return problems;
}

export function resolveUserOptions(users: ParsedUserOptions, requestTimeoutMs: number): ResolvedUserOptions {
  return {
    store: users.store,
    redirectUri: users.redirectUri,
    scopes: users.scopes,
    oauth: users.oauth,
    keepAlive: users.keepAlive,
    claimMs: users.claimMs ?? Math.max(DEFAULT_CLAIM_MS, leastClaimMs(requestTimeoutMs)),
    acceptUnencrypted: users.acceptUnencrypted,
  };
}

function leastClaimMs(requestTimeoutMs: number): number {
  return 2 * requestTimeoutMs + COMMIT_MS;
}

function isRedirectUri(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return isSafeOrigin(value) && username === '' && password === '';
}
