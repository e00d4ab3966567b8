/** On the headers of a call, all the way from the client to the HTTP instance; a symbol, so that it is never sent. */
const CALLER_AUTHORIZATION: unique symbol = Symbol.for('nestjs-feishu-auth:caller-authorization');

/** Marks headers whose `Authorization` the caller has given, even if it holds one of the module's tokens. */
export function markCallerAuthorization<H extends object>(headers: H): H {
  return Object.assign(headers, { [CALLER_AUTHORIZATION]: true });
}

export function hasCallerAuthorization(headers: object | undefined): boolean {
  return headers !== undefined && CALLER_AUTHORIZATION in headers;
}

/** The `Authorization` among `headers`, in whatever case it is written. The last one counts, as for axios. */
export function authorizationOf(headers: object | undefined): string | undefined {
  const values = Object.entries(headers ?? {}).filter(([name]) => isAuthorization(name));
  const value: unknown = values.at(-1)?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A copy of `headers`, without marks, with this `Authorization` instead of any other. */
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
