/**
 * Why a delivery was refused, for metrics and the log. The sender never learns it.
 *
 * - `body`: no JSON object, or not the envelope of an event.
 * - `signature`: the signature is missing or wrong.
 * - `timestamp`: signed, but too old, or too far in the future.
 * - `replay`: signed bytes that were delivered before.
 * - `encryption`: not encrypted although an Encrypt Key is configured, or not with that key.
 * - `token`: another Verification Token.
 * - `app`: an event of another app.
 *
 * @publicApi
 */
export type EventRefusalReason =
  'body' | 'signature' | 'timestamp' | 'replay' | 'encryption' | 'token' | 'app';

/** @internal */
export interface EventRefusal {
  readonly kind: 'refused';
  readonly reason: EventRefusalReason;
}

/** @internal */
export function refused(reason: EventRefusalReason): EventRefusal {
  return { kind: 'refused', reason };
}

/** What to look at first, for the log. */
export const REFUSAL_HINTS: Readonly<Record<EventRefusalReason, string>> = {
  body: 'it is no event of Feishu',
  signature: "is events.encryptKey the Encrypt Key of this app's event subscription?",
  timestamp: "outside the time window: is this machine's clock right, and events.maxSkewMs long enough?",
  replay: 'the same signed request was delivered before',
  encryption: "is events.encryptKey the Encrypt Key of this app's event subscription?",
  token: "is events.verificationToken the Verification Token of this app's event subscription?",
  app: "it belongs to another app: is this app's event URL configured for another one too?",
};
