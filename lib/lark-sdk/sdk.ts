import * as lark from '@larksuiteoapi/node-sdk';

/*
 * What the SDK does not say in its types, in one place: shapes it keeps to itself, and symbols it does not export.
 * `test/lark-sdk-contract.e2e-spec.ts` fails when one of them is different in a new version.
 */

/** What `new lark.Client()` takes. */
export type LarkClientParams = ConstructorParameters<typeof lark.Client>[0];
/** What `withTenantKey()` and its like make, the last argument of every call. */
export type LarkCallOptions = NonNullable<Parameters<lark.Client['formatPayload']>[1]>;
/** What is sent, as far as a caller gives it. */
export type LarkPayload = NonNullable<Parameters<lark.Client['formatPayload']>[0]>;
/** What an axios instance can be made with: proxies, agents, headers, limits. */
export type AxiosDefaults = NonNullable<Parameters<typeof lark.defaultHttpInstance.request>[0]>;

/** One request as the SDK hands it to its HTTP instance: axios's config, and `$return_headers` of its own. */
export interface HttpRequest {
  url?: string;
  method?: string;
  headers?: Readonly<Record<string, unknown>>;
  data?: unknown;
  signal?: AbortSignal;
  timeout?: number;
  /** Whether the caller is given `{ data, headers }` instead of `data`. Downloads ask for it. */
  $return_headers?: boolean;
  [option: string]: unknown;
}

/** An answer as axios gives it. */
export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  data: unknown;
  /** As it was sent: headers complete, `data` as it went over the wire unless it was a stream. */
  config: HttpRequest;
  /** Node's request; `res.responseUrl` is where the last redirect led. */
  request?: { res?: { responseUrl?: unknown } };
}

/** What sends requests, once each. */
export interface HttpSender {
  request(request: HttpRequest): Promise<HttpAnswer>;
}

/**
 * The SDK's own axios, because errors of another copy are not recognised by the SDK (and then logged whole). Without
 * interceptors: `create` does not copy them.
 */
export function createHttpSender(defaults: AxiosDefaults): HttpSender {
  const axios = lark.defaultHttpInstance as unknown as { create(defaults: AxiosDefaults): HttpSender };
  return axios.create(defaults);
}

/** The SDK types its HTTP instance by generics with `any`; it is one function of a request. */
export function asHttpInstance(instance: object): lark.HttpInstance {
  return instance as lark.HttpInstance;
}

/** The tenant that `withTenantKey()` names. */
export function tenantKeyOf(options: LarkCallOptions | undefined): string | undefined {
  return valueOf(options, lark.withTenantKey(''));
}

/** The token that `withUserAccessToken()` gives. */
export function userAccessTokenOf(options: LarkCallOptions | undefined): string | undefined {
  return valueOf(options, lark.withUserAccessToken(''));
}

/** The same options with a user token in them: for such a call the SDK looks no token up. */
export function withoutTokenLookup(options: LarkCallOptions): LarkCallOptions {
  const { lark: marks } = lark.withUserAccessToken("the caller's own");
  return { ...options, lark: { ...options.lark, ...marks } };
}

/** Reads from `options` what `example` holds under a symbol that is not exported. */
function valueOf(options: LarkCallOptions | undefined, example: LarkCallOptions): string | undefined {
  const [symbol] = Object.getOwnPropertySymbols(example.lark ?? {});
  if (symbol === undefined) return undefined;
  const value: unknown = (options?.lark as Record<symbol, unknown> | undefined)?.[symbol];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
