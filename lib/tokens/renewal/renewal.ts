import { type TokenSlot } from '../slot/token-slot.js';
import { type FlightEnd, type TokenFlight } from './token-flight.js';

/**
 * How tokens of one kind are renewed.
 *
 * @internal
 */
export interface Renewal {
  /**
   * Makes one flight. It resolves as soon as callers can go on; what remains to be done goes into `flight.aftermath`.
   * After `flight.signal` aborts, it must not change the slot.
   */
  fly(slot: TokenSlot, flight: TokenFlight): Promise<FlightEnd>;
  /** An API rejected `value`: no other process may adopt it. */
  withdraw(slot: TokenSlot, value: string): Promise<void>;
}
