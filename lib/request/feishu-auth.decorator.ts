import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { FeishuAuthInterceptor } from './feishu-auth.interceptor.js';
import { FEISHU_AUTH_REQUEST, type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';

/**
 * Resolves a Feishu token before the handler runs; {@link FeishuToken} injects it. On a class it applies to every
 * handler; options on a method replace the options on the class.
 *
 * In an HTTP context the answer is 503 if no token is available, with `Retry-After` if the time is known, and 400 if the
 * `tenantKey` function returns an invalid tenant key. Other contexts receive the `FeishuAuthError`.
 *
 * @example
 * @Get('calendars')
 * @FeishuAuth({ tenantKey: (context) => context.switchToHttp().getRequest().user.tenantKey, replay: true })
 * list(@FeishuToken() token: string) {}
 *
 * @publicApi
 */
export function FeishuAuth(options: FeishuAuthRequestOptions = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(
    SetMetadata(FEISHU_AUTH_REQUEST, { ...options }),
    UseInterceptors(FeishuAuthInterceptor),
  );
}
