import * as lark from '@larksuiteoapi/node-sdk';

/*
 * Internals of the SDK that its types do not describe: shapes, and symbols that it does not export.
 * `test/lark-sdk-contract.e2e-spec.ts` fails if a new version changes them.
 */

/** The options of `new lark.Client()`. */
export type LarkClientParams = ConstructorParameters<typeof lark.Client>[0];
/** The last argument of every call, created by `withTenantKey()` and similar functions. */
export type LarkCallOptions = NonNullable<Parameters<lark.Client['formatPayload']>[1]>;
/** The caller's part of a request. */
export type LarkPayload = NonNullable<Parameters<lark.Client['formatPayload']>[0]>;
/** The options of an axios instance: proxies, agents, headers, limits. */
export type AxiosDefaults = NonNullable<Parameters<typeof lark.defaultHttpInstance.request>[0]>;

/** A request that the SDK passes to its HTTP instance: axios's config and the SDK's `$return_headers`. */
export interface HttpRequest {
  url?: string;
  method?: string;
  headers?: Readonly<Record<string, unknown>>;
  data?: unknown;
  signal?: AbortSignal;
  timeout?: number;
  /** Whether to return `{ data, headers }` instead of `data`. The SDK sets it for downloads. */
  $return_headers?: boolean;
  [option: string]: unknown;
}

/** An answer of axios. */
export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  data: unknown;
  /** The request that was sent: complete headers, and `data` as text unless it was a stream. */
  config: HttpRequest;
  /** Node's request; `res.responseUrl` is the URL after the last redirect. */
  request?: { res?: { responseUrl?: unknown } };
}

/** Sends each request once. */
export interface HttpSender {
  request(request: HttpRequest): Promise<HttpAnswer>;
}

/**
 * Creates a sender from the SDK's axios: the SDK does not recognise errors of another copy and logs them completely.
 * `create` does not copy interceptors.
 */
export function createHttpSender(defaults: AxiosDefaults): HttpSender {
  const axios = lark.defaultHttpInstance as unknown as { create(defaults: AxiosDefaults): HttpSender };
  return axios.create(defaults);
}

/** The SDK types its HTTP instance with generic functions that return `any`. */
export function asHttpInstance(instance: object): lark.HttpInstance {
  return instance as lark.HttpInstance;
}

/** Returns the tenant of `withTenantKey()`. */
export function tenantKeyOf(options: LarkCallOptions | undefined): string | undefined {
  return valueOf(options, lark.withTenantKey(''));
}

/** Returns the token of `withUserAccessToken()`. */
export function userAccessTokenOf(options: LarkCallOptions | undefined): string | undefined {
  return valueOf(options, lark.withUserAccessToken(''));
}

/** Adds a user token to the options: the SDK then looks up no token. */
export function withoutTokenLookup(options: LarkCallOptions): LarkCallOptions {
  const { lark: marks } = lark.withUserAccessToken("the caller's own");
  return { ...options, lark: { ...options.lark, ...marks } };
}

/** Reads the value under the symbol that `example` uses, because the SDK does not export that symbol. */
function valueOf(options: LarkCallOptions | undefined, example: LarkCallOptions): string | undefined {
  const [symbol] = Object.getOwnPropertySymbols(example.lark ?? {});
  if (symbol === undefined) return undefined;
  const value: unknown = (options?.lark as Record<symbol, unknown> | undefined)?.[symbol];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
