import { type EventRefusalReason } from './event-refusal.js';
import { type FeishuEvent } from './feishu-event.js';

/**
 * How to answer a delivery.
 *
 * @publicApi
 */
export interface FeishuEventReply {
  /** HTTP status: 200; 403 for a refused delivery; 503 when Feishu should deliver the event again. */
  status: number;
  /** The JSON body, to be sent unchanged. */
  body: Record<string, unknown>;
  /**
   * - `event`: accepted, the handlers will run.
   * - `duplicate`: acknowledged, because the event was accepted before.
   * - `challenge`: the console checks the URL.
   * - `refused`: not a genuine event of this app; see `reason`.
   * - `busy`: too many events wait for their handlers.
   * - `closing`: the application is closing.
   */
  outcome: 'event' | 'duplicate' | 'challenge' | 'refused' | 'busy' | 'closing';
  /** The verified event, for the outcome `event`. */
  event?: FeishuEvent;
  /** Why the delivery was refused. Do not tell the sender. */
  reason?: EventRefusalReason;
}
