import { isTokenRejection, isUserTokenRejection } from '../platform/error-codes.js';
import { type Clock } from '../time/clock.js';
import { SystemClock } from '../time/system-clock.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { discardBody, fetchFollowing, type FollowedResponse } from './redirects.js';
import { peekCode } from '../recovery/rejection-code.js';
import {
  dropRejectedToken,
  replaceRejectedToken,
  type ReplaceableTokens,
} from '../recovery/replacement-token.js';
import { isReplayableBody } from '../recovery/replayable-body.js';
import { resolveTarget } from './target-url.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/**
 * The options of `fetch`, and the identity of the call.
 *
 * @publicApi
 */
export type FeishuRequestInit = RequestInit & {
  /** The token to send. A store app must name the tenant. @default { kind: 'tenant' } */
  as?: TokenQuery;
};

/**
 * @internal
 */
export interface FeishuHttpDependencies {
  tokens: ReplaceableTokens;
  /** Origin of the open host, without a trailing slash. */
  openOrigin: string;
  fetch: typeof globalThis.fetch;
  /** @default the machine's clock */
  clock?: Clock;
}

/**
 * `fetch` with a Feishu token, for calls to Feishu's APIs.
 *
 * If an API rejects the token, the service replaces it and repeats the call once. Other answers, including errors about
 * scopes and rate limits, are returned as an unread `Response` after one request.
 *
 * @example
 * const response = await this.feishu.fetch('/open-apis/im/v1/messages?receive_id_type=chat_id', {
 *   method: 'POST',
 *   headers: { 'content-type': 'application/json' },
 *   body: JSON.stringify(message),
 *   as: { kind: 'tenant', tenantKey },        // store apps only
 * });
 *
 * @publicApi
 */
@FeishuService('FeishuHttpService')
export class FeishuHttpService {
  constructor(private readonly deps: FeishuHttpDependencies) {}

  /**
   * Calls an API. Redirects are followed as `fetch` does, but `redirected` of the answer stays `false`. No redirect takes
   * the token to another origin. If `init.headers` contains `Authorization`, that header is sent unchanged, and the call
   * is not repeated. A stream as `body` is sent only once.
   *
   * @param input a path, or a URL on the open host's origin
   * @returns the API's answer; the rejection itself if no other token is available or Feishu rejects that one as well
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for another origin or a wrong `as`; the errors of
   * {@link TokenHandle.get} if no token is available; `init.signal.reason` after an abort; a `TypeError` for a network
   * failure, as `fetch` does
   */
  async fetch(input: string | URL, init: FeishuRequestInit = {}): Promise<Response> {
    const target = resolveTarget(input, this.deps.openOrigin);
    const { as, ...request } = init;
    const headers = new Headers(request.headers);
    if (headers.has('authorization')) return (await this.send(target, { ...request, headers })).response;

    // A copy: the caller may change the object before the replay.
    const query: TokenQuery = { ...(as ?? { kind: 'tenant' }) };
    const signal = request.signal ?? undefined;
    const sendWith = (token: string): Promise<FollowedResponse> =>
      this.send(target, { ...request, headers: withBearer(headers, token) });

    const handle = this.deps.tokens.handle(query);
    const token = handle.peek() ?? (await handle.get(signal && { signal }));
    const { response, hadCredentials } = await sendWith(token);
    if (!hadCredentials || !(await this.isRejection(response, query.kind))) return response;

    if (!isReplayableBody(request.body)) {
      await dropRejectedToken(this.deps.tokens, query, token, signal);
      return response;
    }
    const replacement = await replaceRejectedToken(this.deps.tokens, query, token, signal);
    signal?.throwIfAborted();
    if (replacement === undefined) return response;
    discardBody(response);
    return (await sendWith(replacement)).response;
  }

  private send(target: URL, request: RequestInit): Promise<FollowedResponse> {
    return fetchFollowing(this.deps.fetch, target, request);
  }

  private async isRejection(response: Response, kind: TokenQuery['kind']): Promise<boolean> {
    const code = await peekCode(response, this.deps.clock ?? systemClock);
    return kind === 'user' ? isUserTokenRejection(code) : isTokenRejection(code);
  }
}

const systemClock = new SystemClock();

function withBearer(headers: Headers, token: string): Headers {
  const own = new Headers(headers);
  own.set('authorization', `Bearer ${token}`);
  return own;
}
