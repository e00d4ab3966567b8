import { types } from 'node:util';

/** How far down causes are followed: an error may be its own cause. */
export const MAX_CAUSES = 5;

/**
 * Reduces a foreign error to name, message and code. An HTTP client's error often carries the whole request,
 * and with it the app secret; none of that may reach a log by way of `cause`.
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

/** An error of any realm: `instanceof` fails for those of another one, as test runners and vm contexts have. */
export function isErrorLike(value: unknown): value is Error & { code?: unknown } {
  return types.isNativeError(value) || value instanceof Error;
}
