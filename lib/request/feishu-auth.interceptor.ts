import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  Optional,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, Reflector } from '@nestjs/core';
import { catchError, defer, from, mergeMap, type Observable, tap, throwError } from 'rxjs';
import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { getFeishuServiceToken } from '../feishu-auth.injection.js';
import { dropRejectedToken, replaceRejectedToken } from '../recovery/replacement-token.js';
import { Clock } from '../time/clock.js';
import { TokenService } from '../token.service.js';
import { type TokenHandle, type TokenKind, type TokenQuery } from '../tokens/access-token.js';
import { reauthorizationRequired } from '../users/reauthorization.js';
import { FEISHU_AUTH_REQUEST, type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';
import { requestTokens } from './request-token.js';
import {
  FeishuLoginRequiredException,
  FeishuTenantKeyException,
  FeishuTokenUnavailableException,
  retryAfterSeconds,
} from './token-exceptions.js';
import { saysTokenRejected } from '../recovery/token-rejection.js';

/** One invocation of a handler, and the token it runs with. */
interface Invocation {
  readonly context: ExecutionContext;
  readonly next: CallHandler;
  readonly options: FeishuAuthRequestOptions;
  readonly tokens: TokenService;
  readonly query: TokenQuery;
  readonly handle: TokenHandle;
}

const reflector = new Reflector();
/** Nest's metadata key of `@Sse()`, which Nest does not export. */
const SSE = '__sse__';

/**
 * The interceptor of {@link FeishuAuth}: it resolves the token before the handler runs, passes it to
 * {@link FeishuToken}, and invalidates it if the handler fails because Feishu rejected it.
 *
 * To support the errors of another HTTP client, override {@link isTokenRejected} in a subclass and register the subclass
 * as `APP_INTERCEPTOR`. It ignores handlers without `@FeishuAuth()`, and a handler still runs once.
 *
 * @publicApi
 */
@Injectable()
export class FeishuAuthInterceptor implements NestInterceptor {
  private readonly services = new Map<string | undefined, TokenService>();
  /** For options without a function: the handle is resolved once, not once per request. */
  private readonly handles = new WeakMap<FeishuAuthRequestOptions, TokenHandle>();

  constructor(
    protected readonly moduleRef: ModuleRef,
    @Optional() protected readonly adapterHost?: HttpAdapterHost,
  ) {}

  /**
   * @throws FeishuTokenUnavailableException, FeishuTenantKeyException in an HTTP context; the `FeishuAuthError` in other
   * contexts, and if the options of the decorator are wrong
   */
  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const options = reflector.getAllAndOverride<FeishuAuthRequestOptions | undefined>(FEISHU_AUTH_REQUEST, [
      context.getHandler(),
      context.getClass(),
    ]);
    // With the decorator on class and method Nest runs the interceptor twice, the second time inside the first.
    if (!options || requestTokens.getStore()?.context === context) return next.handle();

    const tokens = this.tokenService(options.name);
    const query = queryFor(options, context);
    if (query === undefined) throw noUser(context);
    try {
      const handle = this.handleFor(options, tokens, query);
      const invocation: Invocation = { context, next, options, tokens, query, handle };
      const token = handle.peek();
      // The usual case: the token is held, so the handler runs without an await.
      if (token !== undefined) return this.run(invocation, token);
      return handle.get().then(
        (awaited) => this.run(invocation, awaited),
        (error: unknown) => {
          throw this.toClientError(error, options, context);
        },
      );
    } catch (error) {
      throw this.toClientError(error, options, context);
    }
  }

  /**
   * Returns whether the handler failed because Feishu rejected its token.
   *
   * Reads a numeric `code` or `feishuCode`, or `response.data.code` (axios and the official SDK), from the error and from
   * its causes.
   *
   * @param error the value that the handler threw
   * @param token the handler's token
   */
  protected isTokenRejected(error: unknown, token: string, kind?: TokenKind): boolean {
    return saysTokenRejected(error, token, kind);
  }

  private run(invocation: Invocation, token: string): Observable<unknown> {
    let hasEmitted = false;
    return this.runHandler(invocation, token).pipe(
      tap(() => {
        hasEmitted = true;
      }),
      catchError((error: unknown) => {
        if (!this.isTokenRejected(error, token, invocation.query.kind)) return throwError(() => error);
        const hasAnswered = hasEmitted || this.hasAnsweredByItself(invocation.context);
        return from(this.replacementFor(invocation, token, hasAnswered)).pipe(
          mergeMap((replacement) =>
            replacement === undefined ? throwError(() => error) : this.runHandler(invocation, replacement),
          ),
        );
      }),
    );
  }

  private runHandler({ context, next }: Invocation, value: string): Observable<unknown> {
    // Nest runs the handler in the async context of the handle() call.
    return defer(() => requestTokens.run({ context, value }, () => next.handle()));
  }

  /** @returns the token for a second run of the handler; `undefined` if it must not run again */
  private async replacementFor(
    { options, tokens, query }: Invocation,
    rejected: string,
    hasAnswered: boolean,
  ): Promise<string | undefined> {
    if (!options.replay || hasAnswered) {
      await dropRejectedToken(tokens, query, rejected);
      return undefined;
    }
    const replacement = await replaceRejectedToken(tokens, query, rejected);
    // With the same token a second run would fail again, and the handler may have other effects.
    return replacement === rejected ? undefined : replacement;
  }

  /** A handler that has written to the response must not run again. For event streams Nest writes the headers. */
  private hasAnsweredByItself(context: ExecutionContext): boolean {
    if (context.getType() !== 'http' || reflector.get<unknown>(SSE, context.getHandler())) return false;
    return this.areHeadersSent(context);
  }

  private areHeadersSent(context: ExecutionContext): boolean {
    const response: unknown = context.switchToHttp().getResponse();
    return Boolean(this.adapterHost?.httpAdapter?.isHeadersSent(response));
  }

  private tokenService(name: string | undefined): TokenService {
    let tokens = this.services.get(name);
    if (!tokens) {
      tokens = this.findTokenService(name);
      this.services.set(name, tokens);
    }
    return tokens;
  }

  private findTokenService(name: string | undefined): TokenService {
    try {
      return this.moduleRef.get<TokenService>(getFeishuServiceToken(TokenService, name), { strict: false });
    } catch (cause) {
      const which = name === undefined ? 'the unnamed instance' : `the instance '${name}'`;
      throw new FeishuAuthError(
        'ERR_FEISHU_INVALID_ARGUMENT',
        `@FeishuAuth() needs ${which} of FeishuAuthModule, which is not registered; ` +
          'add it with FeishuAuthModule.forRoot(), or set another name: @FeishuAuth({ name })',
        { cause },
      );
    }
  }

  private handleFor(options: FeishuAuthRequestOptions, tokens: TokenService, query: TokenQuery): TokenHandle {
    const isPerRequest = typeof options.tenantKey === 'function' || typeof options.openId === 'function';
    if (isPerRequest) return tokens.handle(query);
    let handle = this.handles.get(options);
    if (!handle) {
      handle = tokens.handle(query);
      this.handles.set(options, handle);
    }
    return handle;
  }

  private toClientError(
    error: unknown,
    options: FeishuAuthRequestOptions,
    context: ExecutionContext,
  ): unknown {
    if (context.getType() !== 'http' || !isFeishuAuthError(error)) return error;
    if (error.code === 'ERR_FEISHU_INVALID_ARGUMENT') {
      if (typeof options.openId === 'function') return new FeishuLoginRequiredException(error);
      return typeof options.tenantKey === 'function' ? new FeishuTenantKeyException(error) : error;
    }
    if (error.code === 'ERR_FEISHU_REAUTHORIZATION_REQUIRED') return new FeishuLoginRequiredException(error);
    if (error.retryAt) this.setRetryAfter(context, error.retryAt);
    return new FeishuTokenUnavailableException(error);
  }

  private setRetryAfter(context: ExecutionContext, retryAt: Date): void {
    if (this.areHeadersSent(context)) return;
    const response: unknown = context.switchToHttp().getResponse();
    const seconds = retryAfterSeconds(retryAt, this.now());
    this.adapterHost?.httpAdapter?.setHeader(response, 'Retry-After', String(seconds));
  }

  /** Reads the clock that set `retryAt`, which a test may have replaced. */
  private now(): number {
    try {
      return this.moduleRef.get(Clock, { strict: false }).now();
    } catch {
      return Date.now();
    }
  }
}

function queryFor(
  { kind = 'tenant', tenantKey, openId }: FeishuAuthRequestOptions,
  context: ExecutionContext,
): TokenQuery | undefined {
  if (kind === 'user') {
    const user = typeof openId === 'function' ? openId(context) : openId;
    return user === undefined ? undefined : { kind, openId: user };
  }
  if (kind !== 'tenant') return { kind };
  const key = typeof tenantKey === 'function' ? tenantKey(context) : tenantKey;
  return key === undefined ? { kind } : { kind, tenantKey: key };
}

/** The request is not that of a user who logged in. */
function noUser(context: ExecutionContext): Error {
  const error = reauthorizationRequired('absent');
  return context.getType() === 'http' ? new FeishuLoginRequiredException(error) : error;
}
