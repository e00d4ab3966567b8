import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { isTokenRejection, isUserTokenRejection } from '../platform/error-codes.js';

/** Limits how many causes are followed: causes can be circular. */
const MAX_CAUSES = 8;

/**
 * Returns whether `error` says that Feishu rejected `token`: a rejection code on the error, on its answer (axios and the
 * official SDK), or on one of its causes. If the error shows which bearer token was sent, it must be this one.
 *
 * @internal
 */
export function saysTokenRejected(error: unknown, token: string, kind?: string): boolean {
  let isRejection = false;
  for (const link of causesOf(error)) {
    // An error of this module: the token endpoint refused a grant, not an API a token.
    if (isFeishuAuthError(link)) return false;
    const bearer = sentBearer(link);
    if (bearer !== undefined && bearer !== token) return false;
    isRejection ||= codesOf(link).some(kind === 'user' ? isUserTokenRejection : isTokenRejection);
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

/** Returns the token in the `Authorization` header of the failed request, if the error contains the request. */
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
