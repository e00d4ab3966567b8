import { createHash } from 'node:crypto';
import { type AppType } from '../platform/app-type.js';
import { type TokenKind, type TokenQuery } from './access-token.js';
import { invalidQuery, isTokenKind, KIND_NAMES, TOKEN_KINDS } from './token-kinds.js';

/** Keeps the tokens of two domains, two apps and two secrets apart. */
export interface AppIdentity {
  readonly appId: string;
  readonly appSecret: string;
  readonly appType: AppType;
  readonly openOrigin: string;
  readonly keyPrefix: string;
}

/** A query that was checked. */
export interface ResolvedQuery {
  readonly kind: TokenKind;
  /** What tells tokens of one kind apart, such as a tenant key; `''` for a token of the app itself. */
  readonly identity: string;
}

/**
 * Checks a query.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for an unknown kind, and for fields that do not fit the kind
 */
export function resolveQuery(query: TokenQuery, appType: AppType): ResolvedQuery {
  const fields = { ...(query as object | undefined) } as Readonly<Record<string, unknown>>;
  const { kind } = fields;
  if (!isTokenKind(kind)) {
    const known = KIND_NAMES.map((name) => `'${name}'`).join(' or ');
    throw invalidQuery(`kind: must be ${known}, not ${describe(kind)}`);
  }
  return { kind, identity: TOKEN_KINDS[kind].identityOf(fields, appType) };
}

/** What the store keeps besides tokens. A status has its tenant key as identity, an event's claim has the claim. */
type OtherRecord = 'app_ticket' | 'tenant_status' | 'tenants' | 'event' | 'login';

/**
 * `<prefix>:v1:{<open host>:<appId>:<fingerprint>:<kind>[:<identity>]}`. The braces put a token and its lock into one
 * Redis Cluster slot. The fingerprint is that of the app secret: after the secret changed, no old record is used.
 */
export function cacheKey(app: AppIdentity, record: TokenKind | OtherRecord, identity = ''): string {
  const last = identity === '' ? [] : [':', encodeURIComponent(identity)];
  // join() makes one flat string. `+` would keep the parts as well, once a tenant.
  return [keyBeginning(app), record, ...last, '}'].join('');
}

/** Kept, because hashing the secret would be most of the work of a key. */
const beginnings = new WeakMap<AppIdentity, string>();

function keyBeginning(app: AppIdentity): string {
  const known = beginnings.get(app);
  if (known !== undefined) return known;
  const { keyPrefix, openOrigin, appId, appSecret } = app;
  const parts = [new URL(openOrigin).host, appId, secretFingerprint(appSecret)];
  const beginning = `${encodeURIComponent(keyPrefix)}:v1:{${parts.map(encodeURIComponent).join(':')}:`;
  beginnings.set(app, beginning);
  return beginning;
}

function secretFingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 12);
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : `a value of type ${typeof value}`;
}
