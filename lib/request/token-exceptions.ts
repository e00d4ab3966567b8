import { BadRequestException, ServiceUnavailableException } from '@nestjs/common';
import { type FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * HTTP 503: no token is available. `cause` is the `FeishuAuthError`; the body contains only its code.
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
 * HTTP 400: the tenant key in the request is invalid. `cause` is the `FeishuAuthError`; the body contains only its code.
 *
 * @publicApi
 */
export class FeishuTenantKeyException extends BadRequestException {
  constructor(cause: FeishuAuthError) {
    super(
      {
        statusCode: 400,
        message: 'The request does not name a valid Feishu tenant',
        error: 'Bad Request',
        code: cause.code,
      },
      { cause },
    );
  }
}

/**
 * Returns the value of `Retry-After`: whole seconds, at least 1.
 *
 * @internal
 */
export function retryAfterSeconds(retryAt: Date, now: number): number {
  return Math.max(1, Math.ceil((retryAt.getTime() - now) / 1000));
}
