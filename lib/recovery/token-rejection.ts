import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { isTokenRejection } from '../platform/error-codes.js';

/** Deep enough for any honest chain of causes, and an end to a circular one. */
const MAX_CAUSES = 8;

/**
 * Whether `error` says that Feishu rejected `token`: one of the codes, on the error, on the answer it carries (axios and
 * the official SDK), or on one of its causes. An error that shows which bearer was sent must show this one.
 *
 * @internal
 */
export function saysTokenRejected(error: unknown, token: string): boolean {
  let isRejection = false;
  for (const link of causesOf(error)) {
    // Of this module's own making: the token endpoint refused a grant, no API refused a token.
    if (isFeishuAuthError(link)) return false;
    const bearer = sentBearer(link);
    if (bearer !== undefined && bearer !== token) return false;
    isRejection ||= codesOf(link).some(isTokenRejection);
  }
  return isRejection;
}

function* causesOf(error: unknown): Generator<object> {
  let link = error;
  for (let depth = 0; depth < MAX_CAUSES && isObject(link); depth++) {
    yield link;
    link = read(link, 'cause');
  }
}

function codesOf(error: object): unknown[] {
  return [read(error, 'code'), read(error, 'feishuCode'), read(error, 'response', 'data', 'code')];
}

/** The token in the `Authorization` of the request that failed, where the error carries the request. */
function sentBearer(error: object): string | undefined {
  const headers = read(error, 'config', 'headers');
  if (!isObject(headers)) return undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') {
      return value.replace(/^bearer\s+/i, '');
    }
  }
  return undefined;
}

function read(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (!isObject(current)) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return current;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
