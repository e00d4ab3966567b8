import { isTokenRejection } from '../platform/error-codes.js';
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
 * What the platform's `fetch` takes, and on whose behalf to call.
 *
 * @publicApi
 */
export type FeishuRequestInit = RequestInit & {
  /** Whose token to send. A store app must name the tenant. @default { kind: 'tenant' } */
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
  /** @default the machine's own */
  clock?: Clock;
}

/**
 * The platform's `fetch`, with the token put on, for calls to Feishu's APIs.
 *
 * A token that an API rejects is replaced and the call replayed once with the new one. Everything else, errors about
 * scopes and rate limits included, comes back as the platform's own, unread `Response`, sent once.
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
   * Calls an API. Redirects are followed as the platform's fetch does, except that `redirected` of the answer stays
   * `false`; the token leaves the open host's origin by none of them. An `Authorization` header of the caller's own is
   * left alone: no token, no replay. A stream as `body` is sent once, whatever the answer.
   *
   * @param input a path, or a URL on the open host's origin
   * @returns the API's answer; still a rejection if no other token is to be had, or if that was rejected as well
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for any other origin or a wrong `as`; whatever
   * {@link TokenHandle.get} throws if there is no token to send; `init.signal.reason` when aborted; a `TypeError`
   * for a network failure, as the platform's fetch does
   */
  async fetch(input: string | URL, init: FeishuRequestInit = {}): Promise<Response> {
    const target = resolveTarget(input, this.deps.openOrigin);
    const { as, ...request } = init;
    const headers = new Headers(request.headers);
    if (headers.has('authorization')) return (await this.send(target, { ...request, headers })).response;

    // A copy: whatever the caller does to theirs meanwhile, the replay has the same identity as the call.
    const query: TokenQuery = { ...(as ?? { kind: 'tenant' }) };
    const signal = request.signal ?? undefined;
    const sendWith = (token: string): Promise<FollowedResponse> =>
      this.send(target, { ...request, headers: withBearer(headers, token) });

    const handle = this.deps.tokens.handle(query);
    const token = handle.peek() ?? (await handle.get(signal && { signal }));
    const { response, hadCredentials } = await sendWith(token);
    if (!hadCredentials || !(await this.isRejection(response))) return response;

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

  private async isRejection(response: Response): Promise<boolean> {
    return isTokenRejection(await peekCode(response, this.deps.clock ?? systemClock));
  }
}

const systemClock = new SystemClock();

function withBearer(headers: Headers, token: string): Headers {
  const own = new Headers(headers);
  own.set('authorization', `Bearer ${token}`);
  return own;
}
