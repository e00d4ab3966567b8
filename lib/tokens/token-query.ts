import { createHash } from 'node:crypto';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type TokenKind, type TokenQuery } from './access-token.js';
import { type AppType } from '../platform/app-type.js';

const TENANT_KEY = /^[A-Za-z0-9_-]{1,128}$/;

/** Whose tokens these are: what keeps two domains, two apps and two secrets apart. */
export interface AppIdentity {
  readonly appId: string;
  readonly appSecret: string;
  readonly appType: AppType;
  readonly openOrigin: string;
  readonly keyPrefix: string;
}

/** A query that was found right, in the one form the rest of tokens/ knows. */
export interface ResolvedQuery {
  readonly kind: TokenKind;
  /** Present exactly for a store app's tenants. */
  readonly tenantKey: string | undefined;
}

/**
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for an unknown kind, a tenant key that is not one, a
 * `tenantKey` for a self-built app or none for a store app
 */
export function resolveQuery(query: TokenQuery, appType: AppIdentity['appType']): ResolvedQuery {
  const kind: unknown = (query as Partial<TokenQuery> | undefined)?.kind;
  if (kind === 'app') return { kind, tenantKey: undefined };
  if (kind !== 'tenant') throw invalid(`kind is 'app' or 'tenant', not ${describe(kind)}`);
  const tenantKey: unknown = (query as { tenantKey?: unknown }).tenantKey;
  if (appType === 'self-built') {
    if (tenantKey === undefined) return { kind, tenantKey: undefined };
    throw invalid("a self-built app has one tenant: leave tenantKey out, or set appType: 'store'");
  }
  if (tenantKey === undefined) {
    throw invalid("a store app's tenant_access_token belongs to one tenant: give its tenantKey");
  }
  if (typeof tenantKey !== 'string' || !TENANT_KEY.test(tenantKey)) {
    throw invalid('tenantKey is 1 to 128 letters, digits, "_" or "-"');
  }
  return { kind, tenantKey };
}

/** What is stored besides tokens; a tenant's status has its `tenantKey`, the claim on an event stands in its place. */
type OwnRecord = 'app_ticket' | 'tenant_status' | 'tenants' | 'event';

/**
 * `<prefix>:v1:{<open host>:<appId>:<fingerprint>:<kind>[:<tenantKey>]}`. The braces make a token and its lock
 * share one Redis Cluster slot; the fingerprint makes a rotated secret start afresh.
 */
export function cacheKey(identity: AppIdentity, kind: TokenKind | OwnRecord, tenantKey?: string): string {
  const tenant = tenantKey === undefined ? [] : [':', encodeURIComponent(tenantKey)];
  // join() makes one flat string; what `+` makes keeps its parts, and there is a key for every tenant.
  return [beginningOf(identity), kind, ...tenant, '}'].join('');
}

/** Every renewal asks for a key or two, and to hash the secret would be most of the work for one. */
const beginnings = new WeakMap<AppIdentity, string>();

function beginningOf(identity: AppIdentity): string {
  const known = beginnings.get(identity);
  if (known !== undefined) return known;
  const { keyPrefix, openOrigin, appId, appSecret } = identity;
  const parts = [new URL(openOrigin).host, appId, secretFingerprint(appSecret)];
  const beginning = `${encodeURIComponent(keyPrefix)}:v1:{${parts.map(encodeURIComponent).join(':')}:`;
  beginnings.set(identity, beginning);
  return beginning;
}

function secretFingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 12);
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : `a value of type ${typeof value}`;
}
