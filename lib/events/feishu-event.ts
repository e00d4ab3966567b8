/**
 * An event that was verified, whichever schema it came in.
 *
 * @typeParam T the event's own fields, as its documentation lists them; they are not checked
 *
 * @publicApi
 */
export interface FeishuEvent<T = Record<string, unknown>> {
  /** `'1.0'` for the old envelope (`uuid`, `event.type`), `'2.0'` for the one with a `header`. */
  schema: '1.0' | '2.0';
  /** `uuid` or `header.event_id`: the same in every redelivery. */
  eventId: string;
  /** `event.type` or `header.event_type`, e.g. `im.message.receive_v1`. */
  eventType: string;
  /** The tenant it happened in; absent where an event belongs to the app alone, as `app_ticket` does. */
  tenantKey?: string;
  appId: string;
  /** When it happened by the platform's clock, where it says so. */
  createdAt?: Date;
  /** The event's own fields. */
  event: T;
  /** Everything that was sent, decrypted, without the Verification Token: to forward to the official `EventDispatcher`. */
  payload: Record<string, unknown>;
}
