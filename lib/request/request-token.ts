import { AsyncLocalStorage } from 'node:async_hooks';
import { type ExecutionContext } from '@nestjs/common';

/**
 * The token of one invocation of one handler.
 *
 * @internal
 */
export interface RequestToken {
  /** The invocation: Nest makes one such object for each, also where several share a request, as GraphQL fields do. */
  readonly context: ExecutionContext;
  readonly value: string;
}

const REQUEST_TOKENS = Symbol.for('nestjs-feishu-auth:request-tokens');
const shared = globalThis as { [REQUEST_TOKENS]?: AsyncLocalStorage<RequestToken> };

/**
 * How the token gets from the interceptor to its handler's parameters. One for all copies of this package: the
 * interceptor and the parameter's decorator may come from different ones.
 *
 * @internal
 */
export const requestTokens = (shared[REQUEST_TOKENS] ??= new AsyncLocalStorage());

/**
 * The token that was resolved for the handler which `context` stands for; never one of a handler around it.
 *
 * @internal
 */
export function requestTokenOf(context: ExecutionContext): string | undefined {
  const current = requestTokens.getStore();
  const isOwn =
    current?.context.getHandler() === context.getHandler() &&
    current.context.getClass() === context.getClass();
  return isOwn ? current.value : undefined;
}
