import { type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { type TokenKind } from '../access-token.js';

/**
 * What health and metrics may know of one slot: never a token.
 *
 * @internal
 */
export interface SlotState {
  readonly kind: TokenKind;
  readonly tenantKey: string | undefined;
  /** Whether a caller would get a token at once. */
  readonly usable: boolean;
  /** Until the held token's end, in milliseconds; `undefined` when none is usable. */
  readonly expiresInMs: number | undefined;
  /** The held token's whole life as first seen, in milliseconds. */
  readonly lifeMs: number | undefined;
  /** Failed flights since the last one that succeeded. */
  readonly consecutiveFailures: number;
  /** Present when the shared store did not take the token that is held. */
  readonly unshared?: true;
  /** Of the last failed flight; kept after a success, as history. */
  readonly lastError: { readonly code: FeishuAuthErrorCode; readonly atWallMs: number } | undefined;
}

/** @internal */
export interface SlotStates {
  slotStates(): Iterable<SlotState>;
}
