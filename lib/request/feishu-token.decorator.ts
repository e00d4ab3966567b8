import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { requestTokenOf } from './request-token.js';

/**
 * A parameter of a handler under {@link FeishuAuth}: the token, a string for `Authorization: Bearer <token>`.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` when the handler is not under `@FeishuAuth()`
 *
 * @publicApi
 */
export const FeishuToken: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string => {
    const token = requestTokenOf(context);
    if (token !== undefined) return token;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      `@FeishuToken() of ${context.getClass().name}.${context.getHandler().name}() has no token: ` +
        'add @FeishuAuth() to the method or to its class. ' +
        "(For a GraphQL field resolver, fieldResolverEnhancers must have 'interceptors' as well.)",
    );
  },
);
