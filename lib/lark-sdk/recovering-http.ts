import { isErrorLike } from '../errors/sanitize-cause.js';
import { dropRejectedToken, replaceRejectedToken } from '../recovery/replacement-token.js';
import { resolveTarget } from '../http/target-url.js';
import { isTokenRejection } from '../platform/error-codes.js';
import { type Clock } from '../time/clock.js';
import { ownerOf, type TokenService } from '../token.service.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { codeOf, discardAnswer } from './response-code.js';
import { withoutSecrets } from './axios-error.js';
import { authorizationOf, hasCallerAuthorization, withAuthorization } from './caller-authorization.js';
import { issuedTokensOf } from './issued-tokens.js';
import { replayOf } from './replay-body.js';
import { type HttpAnswer, type HttpRequest, type HttpSender } from './sdk.js';

/** The outcome of one request: an answer, an error, or an error about an answer. */
interface Outcome {
  answer?: HttpAnswer;
  error?: unknown;
}

/** A call with one of the module's tokens. */
interface ManagedCall {
  query: TokenQuery;
  token: string;
}

/**
 * Sends the SDK's requests. If Feishu rejects a token of the module, the same request is sent once more with the new
 * token of the same tenant.
 */
export class RecoveringHttp {
  constructor(
    private readonly sender: HttpSender,
    private readonly tokens: TokenService,
    private readonly clock: Clock,
  ) {}

  async request(request: HttpRequest): Promise<unknown> {
    const call = this.managed(request);
    if (!call) return this.result(request, await this.send(plain(request)));
    const target = {
      ...request,
      url: resolveTarget(request.url ?? '', ownerOf(this.tokens).openOrigin).href,
    };
    const outcome = await this.send(plain(target));
    return this.result(request, (await this.recovered(target, call, outcome)) ?? outcome);
  }

  /** Returns the outcome of the replay; `undefined` if there was no rejection or a replay is not possible. */
  private async recovered(
    request: HttpRequest,
    { query, token }: ManagedCall,
    { answer }: Outcome,
  ): Promise<Outcome | undefined> {
    if (!answer || !this.isFromFeishu(answer)) return undefined;
    if (!isTokenRejection(await codeOf(answer, this.clock))) return undefined;

    const { signal } = request;
    const replay = replayOf(request, answer.config);
    if (!replay) {
      await dropRejectedToken(this.tokens, query, token, signal);
      return undefined;
    }
    const replacement = await replaceRejectedToken(this.tokens, query, token, signal);
    // An aborted call is passed to axios, which rejects it without sending it.
    if (replacement === undefined && !signal?.aborted) return undefined;
    discardAnswer(answer);
    const again = { ...request, ...replay };
    return this.send({
      ...again,
      headers: withAuthorization(again.headers, `Bearer ${replacement ?? token}`),
    });
  }

  /** Returns the module's token in the request; `undefined` for a token of a user or of the caller, and without a token. */
  private managed({ headers }: HttpRequest): ManagedCall | undefined {
    if (hasCallerAuthorization(headers)) return undefined;
    const token = /^Bearer (\S+)$/.exec(authorizationOf(headers) ?? '')?.[1];
    const query = token === undefined ? undefined : issuedTokensOf(this.tokens).queryOf(token);
    return token === undefined || query === undefined ? undefined : { query, token };
  }

  /** An answer from the target of a redirect to another origin says nothing about the token: it was not sent there. */
  private isFromFeishu({ request }: HttpAnswer): boolean {
    const url = request?.res?.responseUrl;
    return typeof url !== 'string' || originOf(url) === ownerOf(this.tokens).openOrigin;
  }

  private async send(request: HttpRequest): Promise<Outcome> {
    try {
      return { answer: await this.sender.request(request) };
    } catch (error) {
      const answer = isErrorLike(error) ? (error as { response?: HttpAnswer }).response : undefined;
      return answer ? { answer, error } : { error };
    }
  }

  private result({ $return_headers: withHeaders }: HttpRequest, { answer, error }: Outcome): unknown {
    if (error !== undefined || !answer) throw withoutSecrets(error);
    return withHeaders ? { data: answer.data, headers: answer.headers } : answer.data;
  }
}

/** Copies the request without the mark on its headers. */
function plain(request: HttpRequest): HttpRequest {
  return request.headers
    ? { ...request, headers: Object.fromEntries(Object.entries(request.headers)) }
    : request;
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
