import { type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { type TokenKind } from '../access-token.js';

/**
 * What health and metrics may know of one slot. It never has a token.
 *
 * @internal
 */
export interface SlotState {
  readonly kind: TokenKind;
  readonly tenantKey: string | undefined;
  /** Whether a caller would get a token at once. */
  readonly usable: boolean;
  /** Until the held token's end, in milliseconds; `undefined` when no token is usable. */
  readonly expiresInMs: number | undefined;
  /** The held token's whole life as first seen, in milliseconds. */
  readonly lifeMs: number | undefined;
  /** Failed flights since the last success. */
  readonly consecutiveFailures: number;
  /** Present when the shared store did not accept the held token. */
  readonly unshared?: true;
  /** The last failure; kept after a success, as history. */
  readonly lastError: { readonly code: FeishuAuthErrorCode; readonly atWallMs: number } | undefined;
}

/** @internal */
export interface SlotStates {
  states(): Iterable<SlotState>;
}
