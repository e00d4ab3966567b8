import { FeishuAuthError } from '../../errors/feishu-auth.error.js';

/** Whose logins these are: two apps, and two domains, never share one. */
export interface LoginOwner {
  readonly keyPrefix: string;
  readonly openOrigin: string;
  readonly appId: string;
}

const OPEN_ID = /^[\w-]{1,128}$/;

/**
 * `<prefix>:v1:{<open host>:<appId>:user:<openId>}`. The app secret is not part of it, so that a new secret logs no user
 * out; the braces keep all keys of one login on one node of a Redis Cluster.
 */
export function loginKey(owner: LoginOwner, openId: string): string {
  return `${beginningOf(owner)}${openId}}`;
}

/** The user of a login's key; `undefined` for the key of another owner. */
export function openIdOf(owner: LoginOwner, key: string): string | undefined {
  const beginning = beginningOf(owner);
  const openId = key.slice(beginning.length, -1);
  return key.startsWith(beginning) && key.endsWith('}') && OPEN_ID.test(openId) ? openId : undefined;
}

/** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for what is not an open_id */
export function checkedOpenId(openId: unknown): string {
  if (typeof openId === 'string' && OPEN_ID.test(openId)) return openId;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    'openId is 1 to 128 letters, digits, "_" or "-": the open_id of a user who logged in',
  );
}

function beginningOf({ keyPrefix, openOrigin, appId }: LoginOwner): string {
  const owner = [new URL(openOrigin).host, appId].map(encodeURIComponent).join(':');
  return `${encodeURIComponent(keyPrefix)}:v1:{${owner}:user:`;
}
