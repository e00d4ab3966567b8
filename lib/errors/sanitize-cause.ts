import { types } from 'node:util';

/** Limits how many causes are followed: causes can be circular. */
export const MAX_CAUSES = 5;

/**
 * Reduces a foreign error to name, message and code. An HTTP client's error often carries the whole request, including
 * the app secret, which must not reach a log through `cause`.
 *
 * @internal
 */
export function sanitizeCause(cause: unknown, depth = 0): Error {
  if (!isErrorLike(cause)) return new Error(`a value of type ${typeof cause} was thrown`);
  const clean = new Error(cause.message);
  clean.name = cause.name;
  clean.stack = `${cause.name}: ${cause.message}`;
  const { code } = cause;
  if (typeof code === 'string' || typeof code === 'number') Object.assign(clean, { code });
  if (cause.cause !== undefined && depth < MAX_CAUSES) clean.cause = sanitizeCause(cause.cause, depth + 1);
  return clean;
}

/** Recognises errors of every realm. `instanceof` fails for errors of a vm context, which test runners use. */
export function isErrorLike(value: unknown): value is Error & { code?: unknown } {
  return types.isNativeError(value) || value instanceof Error;
}
