import { FeishuService } from '../identity/feishu-service.decorator.js';
import { type FeishuEventHeaders } from './event-delivery.js';
import { type EventIntake } from './event-intake.js';
import { type FeishuEventReply } from './feishu-event-reply.js';

/**
 * Takes in the deliveries to the app's event URL: verifies them, accepts each event once and runs the `@OnFeishuEvent()`
 * methods. `webhookPath` registers an endpoint that does this; use {@link receive} in a custom endpoint.
 *
 * @publicApi
 */
@FeishuService('FeishuEventService')
export class FeishuEventService {
  readonly #intake: EventIntake;

  /** @internal */
  constructor(intake: EventIntake) {
    this.#intake = intake;
  }

  /**
   * Takes in one delivery. Send the `status` and `body` of the result at once: the handlers start in the next turn of the
   * event loop. Does not reject for anything that a sender can put into a request.
   *
   * @param headers the headers of the request
   * @param rawBody the body as it arrived; a body that was parsed and serialized again has another signature
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` without a raw body, or if the instance has no `events` option
   */
  receive(headers: FeishuEventHeaders, rawBody: Uint8Array | string): Promise<FeishuEventReply> {
    return this.#intake.receive(headers, rawBody);
  }
}
