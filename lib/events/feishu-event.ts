/**
 * A verified event of either schema.
 *
 * @typeParam T the fields of the event, as Feishu documents them. This module does not check them
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
  /** The tenant of the event; absent for an event of the app itself, such as `app_ticket`. */
  tenantKey?: string;
  /** The app of the event: always the app of this instance. */
  appId: string;
  /** When the event happened, by Feishu's clock; absent if the event does not say. */
  createdAt?: Date;
  /** The fields of the event. */
  event: T;
  /** The whole decrypted body without the Verification Token: for the `EventDispatcher` of the official SDK. */
  payload: Record<string, unknown>;
}
