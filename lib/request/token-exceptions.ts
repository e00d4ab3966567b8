import { BadRequestException, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
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
 * HTTP 401: the user has to log in to Feishu. `cause` is the `FeishuAuthError`; the body contains its code and reason.
 *
 * @publicApi
 */
export class FeishuLoginRequiredException extends UnauthorizedException {
  constructor(cause: FeishuAuthError) {
    super(
      {
        statusCode: 401,
        message: 'The user has to log in to Feishu',
        error: 'Unauthorized',
        code: cause.code,
        ...(cause.reason !== undefined && { reason: cause.reason }),
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
