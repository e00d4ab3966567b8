import { AsyncLocalStorage } from 'node:async_hooks';
import { type ExecutionContext } from '@nestjs/common';

/**
 * The token of one invocation of one handler.
 *
 * @internal
 */
export interface RequestToken {
  /** The invocation. Nest creates one context per invocation, also when GraphQL fields share a request. */
  readonly context: ExecutionContext;
  readonly value: string;
}

const REQUEST_TOKENS = Symbol.for('nestjs-feishu-auth:request-tokens');
const shared = globalThis as { [REQUEST_TOKENS]?: AsyncLocalStorage<RequestToken> };

/**
 * Passes the token from the interceptor to the parameters of its handler. All copies of this package share it, because the
 * interceptor and the decorator of the parameter may come from different copies.
 *
 * @internal
 */
export const requestTokens = (shared[REQUEST_TOKENS] ??= new AsyncLocalStorage());

/**
 * Returns the token of the handler of `context`, not the token of an outer handler.
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
