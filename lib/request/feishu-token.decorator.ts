import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { requestTokenOf } from './request-token.js';

/**
 * Injects the token of {@link FeishuAuth} into a handler's parameter: a string for `Authorization: Bearer <token>`.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` if neither the handler nor its class has `@FeishuAuth()`
 *
 * @publicApi
 */
export const FeishuToken: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string => {
    const token = requestTokenOf(context);
    if (token !== undefined) return token;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      `@FeishuToken() in ${context.getClass().name}.${context.getHandler().name}() has no token; ` +
        'add @FeishuAuth() to the method or its class. ' +
        "For a GraphQL field resolver, also add 'interceptors' to fieldResolverEnhancers.",
    );
  },
);
