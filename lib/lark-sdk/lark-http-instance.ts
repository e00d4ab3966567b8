import type * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { SystemClock } from '../time/system-clock.js';
import { type TokenService } from '../token.service.js';
import { PLACEHOLDER_SECRET } from './placeholder-secret.js';
import { RecoveringHttp } from './recovering-http.js';
import { asHttpInstance, type AxiosDefaults, createHttpSender, type HttpRequest } from './sdk.js';

const TIMEOUT_MS = 10_000;
/** 30 MB, the largest upload that Feishu takes, at 2 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * The options of an axios instance (`proxy`, `httpAgent`, `httpsAgent`, `headers`, `maxRedirects`, ...) and its limits.
 *
 * @publicApi
 */
export type LarkHttpOptions = Omit<AxiosDefaults, 'timeout' | 'url' | 'method' | 'data'> & {
  /** How long a call may take until its answer begins, and then stand still, in milliseconds. @default 10_000 */
  timeout?: number;
  /** The same for a call that uploads a file. @default 120_000 */
  uploadTimeout?: number;
};

/**
 * An HTTP instance for the SDK, on the SDK's own axios, that recovers from a token that was revoked: a call with one of
 * the tokens of `tokens` that is refused for it (99991663, 99991664 or 99991665, on any HTTP status, on downloads too)
 * is sent once more with a new one. A user's token, or one of the caller's own, is left alone; a call whose body was a
 * stream fails, but the next one succeeds.
 *
 * Its errors are the `AxiosError`s that they would be otherwise, without secrets and tokens in them. A token of the
 * module's goes to the open host of `tokens` only: any other target is `ERR_FEISHU_INVALID_ARGUMENT`.
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

/** Better than Feishu's word that the secret is wrong. */
function assertNoPlaceholder(data: unknown): void {
  const { app_secret, client_secret, AppSecret } = (data ?? {}) as Record<string, unknown>;
  if (![app_secret, client_secret, AppSecret].includes(PLACEHOLDER_SECRET)) return;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    "this call of the SDK needs the app's secret, which the client was not given: createLarkClient(tokens, { appSecret })",
  );
}
