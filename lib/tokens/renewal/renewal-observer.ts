import { type FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type TokenKind } from '../access-token.js';
import { type FlightEnd, type FlightTrigger } from './token-flight.js';

/**
 * Receives the start and the end of each flight. telemetry/ implements it.
 *
 * @internal
 */
export interface RenewalObserver {
  /**
   * Called in the async context of the caller.
   *
   * @returns what to call when the flight ends, outside of that context; `undefined` when no one listens
   */
  renewalStarted(
    kind: TokenKind,
    trigger: FlightTrigger,
  ): ((end: FlightEnd | FeishuAuthError) => void) | undefined;
}
