import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type AppType } from '../platform/app-type.js';
import { type TokenKind } from './access-token.js';

/** The fields of a query, not yet checked. */
type QueryFields = Readonly<Record<string, unknown>>;

/** What sets one kind of token apart. Its renewal is wired in the engine. */
export interface TokenKindRules {
  /** How logs and messages name the token. */
  readonly label: string;
  /**
   * Checks a query of this kind and returns what tells its token from the others of the kind: a part of the cache key.
   * `''` stands for a token that belongs to the app itself.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  identityOf(query: QueryFields, appType: AppType): string;
  /** The tenant that the token acts in, if the app serves many. */
  tenantKeyOf(identity: string): string | undefined;
}

/** Every kind of token; a kind that others need comes first. A new kind starts here. */
export const TOKEN_KINDS: Readonly<Record<TokenKind, TokenKindRules>> = {
  app: {
    label: 'app_access_token',
    identityOf: () => '',
    tenantKeyOf: () => undefined,
  },
  tenant: {
    label: 'tenant_access_token',
    identityOf: tenantIdentity,
    tenantKeyOf: (identity) => (identity === '' ? undefined : identity),
  },
  user: {
    label: 'user_access_token',
    identityOf: userIdentity,
    tenantKeyOf: () => undefined,
  },
};

/** The names of all kinds. A sweep renews them in this order. */
export const KIND_NAMES = Object.keys(TOKEN_KINDS) as readonly TokenKind[];

/** One value a kind. */
export function forEachKind<T>(make: (kind: TokenKind) => T): Record<TokenKind, T> {
  return Object.fromEntries(KIND_NAMES.map((kind) => [kind, make(kind)])) as Record<TokenKind, T>;
}

export function isTokenKind(value: unknown): value is TokenKind {
  return typeof value === 'string' && Object.hasOwn(TOKEN_KINDS, value);
}

const TENANT_KEY = /^[A-Za-z0-9_-]{1,128}$/;

export function isTenantKey(value: unknown): value is string {
  return typeof value === 'string' && TENANT_KEY.test(value);
}

function tenantIdentity({ tenantKey }: QueryFields, appType: AppType): string {
  if (appType === 'self-built') {
    if (tenantKey === undefined) return '';
    throw invalidQuery("tenantKey: a self-built app has one tenant; leave it out, or set appType: 'store'");
  }
  if (tenantKey === undefined) {
    throw invalidQuery("tenantKey: missing; a store app's tenant_access_token belongs to one tenant");
  }
  if (!isTenantKey(tenantKey)) {
    throw invalidQuery('tenantKey: must be 1 to 128 letters, digits, "_" or "-"');
  }
  return tenantKey;
}

const OPEN_ID = /^[A-Za-z0-9_-]{1,128}$/;

function userIdentity({ openId }: QueryFields): string {
  if (typeof openId === 'string' && OPEN_ID.test(openId)) return openId;
  throw invalidQuery('openId: must be the open_id of a user: 1 to 128 letters, digits, "_" or "-"');
}

export function invalidQuery(problem: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', `invalid token query: ${problem}`);
}
