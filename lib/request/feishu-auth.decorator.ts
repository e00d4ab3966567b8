import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { FeishuAuthInterceptor } from './feishu-auth.interceptor.js';
import { FEISHU_AUTH_REQUEST, type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';

/**
 * Has a Feishu token at hand before the handler runs; {@link FeishuToken} hands it in. On a class it is for every
 * handler, and a method's own options take the place of the class's as a whole.
 *
 * In an HTTP context a token that cannot be had is answered with 503, and `Retry-After` where that is known; a
 * `tenantKey` function that returns no proper tenant key with 400. In other contexts the `FeishuAuthError` is thrown.
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
