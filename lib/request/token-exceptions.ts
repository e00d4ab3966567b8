import { BadRequestException, ServiceUnavailableException } from '@nestjs/common';
import { type FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * HTTP 503: the handler was not run, because its token cannot be had now. `cause` is the `FeishuAuthError`; the body
 * names its code and nothing else of it.
 *
 * @publicApi
 */
export class FeishuTokenUnavailableException extends ServiceUnavailableException {
  constructor(cause: FeishuAuthError) {
    super(
      {
        statusCode: 503,
        message: 'No Feishu token is available',
        error: 'Service Unavailable',
        code: cause.code,
      },
      { cause },
    );
  }
}

/**
 * HTTP 400: what the request says about its tenant is no tenant key. `cause` is the `FeishuAuthError`.
 *
 * @publicApi
 */
export class FeishuTenantKeyException extends BadRequestException {
  constructor(cause: FeishuAuthError) {
    super(
      {
        statusCode: 400,
        message: 'The request does not name a proper Feishu tenant',
        error: 'Bad Request',
        code: cause.code,
      },
      { cause },
    );
  }
}

/**
 * Value of `Retry-After`: whole seconds, at least 1.
 *
 * @internal
 */
export function retryAfterSeconds(retryAt: Date, now: number): number {
  return Math.max(1, Math.ceil((retryAt.getTime() - now) / 1000));
}
