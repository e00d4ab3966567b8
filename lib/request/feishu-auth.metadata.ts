import { type ExecutionContext } from '@nestjs/common';
import { type TokenKind } from '../tokens/access-token.js';

/**
 * Options of {@link FeishuAuth}.
 *
 * @publicApi
 */
export interface FeishuAuthRequestOptions {
  /** The app's own token, or a tenant's. @default 'tenant' */
  kind?: TokenKind;
  /**
   * Store apps, `kind: 'tenant'`: whose token. A function reads it off the request; it is called once per invocation of
   * the handler, and `undefined` stands for none given.
   */
  tenantKey?: string | ((context: ExecutionContext) => string | undefined);
  /** Which instance of the module. @default the unnamed one */
  name?: string;
  /**
   * Runs the handler a second time, with the new token, when it failed because Feishu rejected the one it was given.
   * For handlers that may run twice. Not once a value was emitted or the answer has begun. @default false
   */
  replay?: boolean;
}

/**
 * Metadata key of {@link FeishuAuthRequestOptions} on a handler or its class.
 *
 * @internal
 */
export const FEISHU_AUTH_REQUEST = 'feishu_auth:request';
