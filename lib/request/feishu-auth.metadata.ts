import { type ExecutionContext } from '@nestjs/common';
import { type TokenKind } from '../tokens/access-token.js';

/**
 * Options of {@link FeishuAuth}.
 *
 * @publicApi
 */
export interface FeishuAuthRequestOptions {
  /** The kind of the token. @default 'tenant' */
  kind?: TokenKind;
  /**
   * The tenant, for store apps with `kind: 'tenant'`. A function reads it from the request and is called once per
   * invocation of the handler.
   */
  tenantKey?: string | ((context: ExecutionContext) => string | undefined);
  /**
   * The user, with `kind: 'user'`: the open_id in the session of the request. `undefined` means that no user is logged in:
   * in an HTTP context the answer is 401.
   */
  openId?: string | ((context: ExecutionContext) => string | undefined);
  /** The instance of the module. @default the unnamed instance */
  name?: string;
  /**
   * Whether to run the handler a second time with a new token if it failed because Feishu rejected the first. For
   * handlers that may run twice. A handler that has emitted a value or has begun to answer does not run again.
   * @default false
   */
  replay?: boolean;
}

/**
 * Metadata key of {@link FeishuAuthRequestOptions} on a handler or its class.
 *
 * @internal
 */
export const FEISHU_AUTH_REQUEST = 'feishu_auth:request';
