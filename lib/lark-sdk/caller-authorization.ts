/** Marks the headers of a call, from the client to the HTTP instance. A symbol, so that it is not sent. */
const CALLER_AUTHORIZATION: unique symbol = Symbol.for('nestjs-feishu-auth:caller-authorization');

/** Marks headers whose `Authorization` comes from the caller, even if it contains one of the module's tokens. */
export function markCallerAuthorization<H extends object>(headers: H): H {
  return Object.assign(headers, { [CALLER_AUTHORIZATION]: true });
}

export function hasCallerAuthorization(headers: object | undefined): boolean {
  return headers !== undefined && CALLER_AUTHORIZATION in headers;
}

/** Returns the `Authorization` header, case-insensitively. The last one counts, as in axios. */
export function authorizationOf(headers: object | undefined): string | undefined {
  const values = Object.entries(headers ?? {}).filter(([name]) => isAuthorization(name));
  const value: unknown = values.at(-1)?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Copies `headers` without the mark and replaces `Authorization`. */
export function withAuthorization(
  headers: object | undefined,
  authorization: string,
): Record<string, unknown> {
  const others = Object.entries(headers ?? {}).filter(([name]) => !isAuthorization(name));
  return { ...Object.fromEntries(others), Authorization: authorization };
}

function isAuthorization(name: string): boolean {
  return name.toLowerCase() === 'authorization';
}
