/**
 * Reduces a foreign error to name, message and code. An HTTP client's error often carries the whole request,
 * and with it the app secret; none of that may reach a log by way of `cause`.
 *
 * @internal
 */
export function sanitizeCause(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error(`a value of type ${typeof cause} was thrown`);
  const clean = new Error(cause.message);
  clean.name = cause.name;
  clean.stack = `${cause.name}: ${cause.message}`;
  const code = (cause as { code?: unknown }).code;
  if (typeof code === 'string' || typeof code === 'number') Object.assign(clean, { code });
  if (cause.cause !== undefined) clean.cause = sanitizeCause(cause.cause);
  return clean;
}
