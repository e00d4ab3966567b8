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
import { type TokenHandle, type TokenQuery } from '../tokens/access-token.js';
import { FEISHU_AUTH_REQUEST, type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';
import { requestTokens } from './request-token.js';
import {
  FeishuTenantKeyException,
  FeishuTokenUnavailableException,
  retryAfterSeconds,
} from './token-exceptions.js';
import { saysTokenRejected } from '../recovery/token-rejection.js';

/** One invocation of a handler, and whose token it runs with. */
interface Invocation {
  readonly context: ExecutionContext;
  readonly next: CallHandler;
  readonly options: FeishuAuthRequestOptions;
  readonly tokens: TokenService;
  readonly query: TokenQuery;
  readonly handle: TokenHandle;
}

const reflector = new Reflector();
/** Nest's own metadata key for `@Sse()`, which it does not export from its root. */
const SSE = '__sse__';

/**
 * What {@link FeishuAuth} applies: resolves the token before the handler runs, hands it to {@link FeishuToken}, and
 * takes it out of use when the handler fails because Feishu rejected it.
 *
 * To teach it the errors of another HTTP client, override {@link isTokenRejected} in a subclass and register that as
 * `APP_INTERCEPTOR`: it leaves handlers without `@FeishuAuth()` alone, and the handler still runs once.
 *
 * @publicApi
 */
@Injectable()
export class FeishuAuthInterceptor implements NestInterceptor {
  private readonly services = new Map<string | undefined, TokenService>();
  /** For options without a function: their key is resolved once, not once a request. */
  private readonly handles = new WeakMap<FeishuAuthRequestOptions, TokenHandle>();

  constructor(
    protected readonly moduleRef: ModuleRef,
    @Optional() protected readonly adapterHost?: HttpAdapterHost,
  ) {}

  /**
   * @throws FeishuTokenUnavailableException, FeishuTenantKeyException in an HTTP context; the `FeishuAuthError` itself
   * in any other, and for a decorator whose options are wrong
   */
  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const options = reflector.getAllAndOverride<FeishuAuthRequestOptions | undefined>(FEISHU_AUTH_REQUEST, [
      context.getHandler(),
      context.getClass(),
    ]);
    // Applied to class and method both, Nest runs it twice, the second time within the first.
    if (!options || requestTokens.getStore()?.context === context) return next.handle();

    const tokens = this.tokenService(options.name);
    const query = queryFor(options, context);
    try {
      const handle = this.handleFor(options, tokens, query);
      const invocation: Invocation = { context, next, options, tokens, query, handle };
      const token = handle.peek();
      // The usual case: the token is there, and nobody waits.
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
   * Whether the handler failed because Feishu rejected the very token it was given.
   *
   * Understands errors, and anything else that is thrown, with a numeric `code` or `feishuCode`, or with
   * `response.data.code` as axios and the official SDK have it; on itself or on a `cause`.
   *
   * @param error what the handler threw
   * @param token the token that the handler was given
   */
  protected isTokenRejected(error: unknown, token: string): boolean {
    return saysTokenRejected(error, token);
  }

  private run(invocation: Invocation, token: string): Observable<unknown> {
    let hasEmitted = false;
    return this.runHandler(invocation, token).pipe(
      tap(() => {
        hasEmitted = true;
      }),
      catchError((error: unknown) => {
        if (!this.isTokenRejected(error, token)) return throwError(() => error);
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
    // Nest binds the handler to the async context in which handle() is called.
    return defer(() => requestTokens.run({ context, value }, () => next.handle()));
  }

  /** @returns the token to run the handler with once more; `undefined` if it is not to run again */
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
    // A handler may do more than call Feishu: it is not run again for nothing.
    return replacement === rejected ? undefined : replacement;
  }

  /** A handler that writes to the response cannot take back what it wrote. Headers of event streams are Nest's doing. */
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
      const which = name === undefined ? 'unnamed FeishuAuthModule' : `FeishuAuthModule named '${name}'`;
      throw new FeishuAuthError(
        'ERR_FEISHU_INVALID_ARGUMENT',
        `@FeishuAuth() asks for the ${which}, which is not there: ` +
          'import one with FeishuAuthModule.forRoot(), or name another.',
        { cause },
      );
    }
  }

  private handleFor(options: FeishuAuthRequestOptions, tokens: TokenService, query: TokenQuery): TokenHandle {
    if (typeof options.tenantKey === 'function') return tokens.handle(query);
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
      return typeof options.tenantKey === 'function' ? new FeishuTenantKeyException(error) : error;
    }
    if (error.retryAt) this.setRetryAfter(context, error.retryAt);
    return new FeishuTokenUnavailableException(error);
  }

  private setRetryAfter(context: ExecutionContext, retryAt: Date): void {
    if (this.areHeadersSent(context)) return;
    const response: unknown = context.switchToHttp().getResponse();
    const seconds = retryAfterSeconds(retryAt, this.now());
    this.adapterHost?.httpAdapter?.setHeader(response, 'Retry-After', String(seconds));
  }

  /** By the clock that set `retryAt`, which a test may have replaced. */
  private now(): number {
    try {
      return this.moduleRef.get(Clock, { strict: false }).now();
    } catch {
      return Date.now();
    }
  }
}

function queryFor(
  { kind = 'tenant', tenantKey }: FeishuAuthRequestOptions,
  context: ExecutionContext,
): TokenQuery {
  if (kind !== 'tenant') return { kind };
  const key = typeof tenantKey === 'function' ? tenantKey(context) : tenantKey;
  return key === undefined ? { kind } : { kind, tenantKey: key };
}
