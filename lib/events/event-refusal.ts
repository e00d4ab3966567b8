/**
 * Why a delivery was refused, for metrics and the log. The sender does not learn it.
 *
 * - `body`: not a JSON object, or not the envelope of an event.
 * - `signature`: the signature is missing or wrong.
 * - `timestamp`: signed, but too old or too far in the future.
 * - `replay`: the same signed request was delivered before.
 * - `encryption`: not encrypted although an Encrypt Key is configured, or encrypted with another key.
 * - `token`: the Verification Token is missing or wrong.
 * - `app`: an event of another app.
 *
 * @publicApi
 */
export type EventRefusalReason =
  'body' | 'signature' | 'timestamp' | 'replay' | 'encryption' | 'token' | 'app';

export interface EventRefusal {
  readonly kind: 'refused';
  readonly reason: EventRefusalReason;
}

export function refused(reason: EventRefusalReason): EventRefusal {
  return { kind: 'refused', reason };
}

const CHECK_ENCRYPT_KEY =
  'compare events.encryptKey with the Encrypt Key of this app in the developer console (Events & Callbacks)';

/** What to check first, for the log. */
export const REFUSAL_HINTS: Readonly<Record<EventRefusalReason, string>> = {
  body: 'it is not an event of Feishu; check what else sends requests to this URL',
  signature: CHECK_ENCRYPT_KEY,
  timestamp: 'it is outside the time window; check the clock of this host and events.maxSkewMs',
  replay: 'the same signed request was delivered before; check for a proxy that repeats requests',
  encryption: CHECK_ENCRYPT_KEY,
  token:
    'compare events.verificationToken with the Verification Token of this app in the developer console (Events & Callbacks)',
  app: 'it belongs to another app; check that the other app does not use the event URL of this one',
};
