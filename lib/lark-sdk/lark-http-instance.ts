import type * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { SystemClock } from '../time/system-clock.js';
import { type TokenService } from '../token.service.js';
import { PLACEHOLDER_SECRET } from './placeholder-secret.js';
import { RecoveringHttp } from './recovering-http.js';
import { asHttpInstance, type AxiosDefaults, createHttpSender, type HttpRequest } from './sdk.js';

const TIMEOUT_MS = 10_000;
/** The largest upload that Feishu accepts (30 MB) at 2 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * Options of {@link larkHttpInstance}: those of an axios instance (`proxy`, `httpAgent`, `headers`, `maxRedirects`, ...) and timeouts.
 *
 * @publicApi
 */
export type LarkHttpOptions = Omit<AxiosDefaults, 'timeout' | 'url' | 'method' | 'data'> & {
  /** The timeout until the answer begins, and between two parts of the answer, in milliseconds. @default 10_000 */
  timeout?: number;
  /** The timeout of a call that uploads a file, in milliseconds. @default 120_000 */
  uploadTimeout?: number;
};

/**
 * Creates an HTTP instance for the SDK, based on the SDK's axios, that recovers from a revoked token: if Feishu rejects a
 * token of `tokens` (99991663, 99991664 or 99991665, with any HTTP status, also for downloads), the call is repeated once
 * with a new token. Tokens of users and of the caller are not replaced. A call whose body is a stream fails, but the next
 * call succeeds.
 *
 * Errors are axios's `AxiosError`s without secrets and tokens. A token of the module is sent only to the open host of
 * `tokens`: another target is `ERR_FEISHU_INVALID_ARGUMENT`.
 *
 * @example
 * const channel = createLarkChannel({ appId, appSecret, cache: larkCache(tokens), httpInstance: larkHttpInstance(tokens) });
 *
 * @publicApi
 */
export function larkHttpInstance(tokens: TokenService, options: LarkHttpOptions = {}): lark.HttpInstance {
  const { uploadTimeout = UPLOAD_TIMEOUT_MS, timeout = TIMEOUT_MS, ...defaults } = options;
  const http = new RecoveringHttp(createHttpSender({ ...defaults, timeout }), tokens, new SystemClock());

  async function request(call: HttpRequest): Promise<unknown> {
    assertNoPlaceholder(call.data);
    return http.request(isUpload(call) ? { timeout: uploadTimeout, ...call } : call);
  }
  const bare =
    (method: string) =>
    (url: string, call?: HttpRequest): Promise<unknown> =>
      request({ ...call, method, url });
  const withBody =
    (method: string) =>
    (url: string, data?: unknown, call?: HttpRequest): Promise<unknown> =>
      request({ ...call, method, url, data });

  return asHttpInstance({
    request,
    get: bare('get'),
    delete: bare('delete'),
    head: bare('head'),
    options: bare('options'),
    post: withBody('post'),
    put: withBody('put'),
    patch: withBody('patch'),
  });
}

function isUpload({ headers }: HttpRequest): boolean {
  return Object.entries(headers ?? {}).some(
    ([name, value]) => name.toLowerCase() === 'content-type' && String(value).startsWith('multipart/'),
  );
}

/** Feishu would answer that the secret is wrong, which misleads. */
function assertNoPlaceholder(data: unknown): void {
  const { app_secret, client_secret, AppSecret } = (data ?? {}) as Record<string, unknown>;
  if (![app_secret, client_secret, AppSecret].includes(PLACEHOLDER_SECRET)) return;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    'this call of the official client sends the app secret, which the client does not have; pass it: createLarkClient(tokens, { appSecret })',
  );
}
