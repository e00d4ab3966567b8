import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type EventMetrics } from '../metrics/event-metrics.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { type BuiltInEventHandlers } from './built-in-event-handlers.js';
import { type EventDeduplicator } from './event-deduplicator.js';
import { type EventDelivery, type FeishuEventHeaders } from './event-delivery.js';
import { type EventDispatcher } from './event-dispatcher.js';
import { type EventLog } from './event-log.js';
import { refused } from './event-refusal.js';
import { type EventVerifier, type Verdict } from './event-verifier.js';
import { type FeishuEvent } from './feishu-event.js';
import { type FeishuEventReply } from './feishu-event-reply.js';

export interface EventIntakeDependencies {
  /** Absent if the instance has no `events` option. */
  readonly verifier: EventVerifier | undefined;
  readonly deduplicator: EventDeduplicator;
  readonly builtIn: BuiltInEventHandlers;
  readonly dispatcher: EventDispatcher;
  readonly metrics: EventMetrics;
  readonly log: EventLog;
  readonly clock: Clock;
}

/** A reply, and what to do once it is sent. */
export interface Intake {
  readonly reply: FeishuEventReply;
  /** Starts the handlers of an accepted event. Only the first call counts. */
  readonly start?: () => void;
}

/** How long the module's own handling of an event may delay the reply. */
const BUILT_IN_HANDLERS_TIMEOUT_MS = 1_000;

/** One reply for every refusal, so that the sender does not learn which check failed. */
const REFUSED = { code: 'ERR_FEISHU_EVENT_REJECTED', msg: 'this delivery is not accepted' };
const CLOSING = { code: 'ERR_FEISHU_CLOSED', msg: 'the application is closing; deliver the event again' };
const BUSY = {
  code: 'ERR_FEISHU_EVENT_REJECTED',
  msg: 'too many events are waiting; deliver the event again',
};

/** Takes in the deliveries of one instance: verify, keep room for the handlers, claim, apply, reply. */
export class EventIntake {
  readonly #deps: EventIntakeDependencies;
  #isClosing = false;

  constructor(deps: EventIntakeDependencies) {
    this.#deps = deps;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** See `FeishuEventService.receive()`. */
  async receive(headers: FeishuEventHeaders, body: Uint8Array | string): Promise<FeishuEventReply> {
    const rawBody = bytesOf(body);
    if (!rawBody) {
      throw invalid(
        'receive() needs the raw body as bytes or text: the signature of a parsed body cannot be checked',
      );
    }
    const { reply, start } = await this.take({ headers, rawBody });
    if (start) setImmediate(start);
    return reply;
  }

  /** Decides on the reply. The caller sends it, then calls `start`. Never rejects for what was sent. */
  async take(delivery: EventDelivery): Promise<Intake> {
    const { verifier, metrics } = this.#deps;
    if (!verifier) {
      throw invalid(
        'this instance takes no events: set events.encryptKey or events.verificationToken in its options',
      );
    }
    // Before anything is claimed: another process gets the event when Feishu delivers it again.
    if (this.#isClosing) return { reply: { status: 503, body: { ...CLOSING }, outcome: 'closing' } };
    metrics.received();
    const intake = await this.#decide(verifier.verify(delivery));
    const { outcome, reason } = intake.reply;
    metrics.ended(outcome, reason);
    if (reason) this.#deps.log.refused(reason);
    if (outcome === 'busy') this.#deps.log.busy();
    return intake;
  }

  /** The host parsed the body and did not keep its bytes. */
  reportNoRawBody(): void {
    this.#deps.log.noRawBody();
  }

  /** Runs while tokens are still available to the handlers. */
  async onModuleDestroy(): Promise<void> {
    this.#isClosing = true;
    await this.#deps.dispatcher.close();
  }

  async #decide(verdict: Verdict): Promise<Intake> {
    if (verdict.kind === 'refused') {
      return { reply: { status: 403, body: { ...REFUSED }, outcome: 'refused', reason: verdict.reason } };
    }
    if (verdict.kind === 'challenge') {
      return { reply: { status: 200, body: { challenge: verdict.challenge }, outcome: 'challenge' } };
    }
    return this.#accept(verdict.event, verdict.proof);
  }

  async #accept(event: FeishuEvent, proof: string | undefined): Promise<Intake> {
    const { dispatcher, deduplicator } = this.#deps;
    const handlers = dispatcher.prepare(event);
    if (!handlers) {
      // Not claimed, so that Feishu delivers it again. What the module needs of it does not wait for that.
      await this.#applyBuiltIn(event);
      return { reply: { status: 503, body: { ...BUSY }, outcome: 'busy' } };
    }
    if (proof !== undefined && !(await deduplicator.claimProof(proof))) {
      handlers.cancel();
      return this.#decide(refused('replay'));
    }
    if (!(await deduplicator.claimEvent(event.eventId))) {
      handlers.cancel();
      return { reply: { status: 200, body: {}, outcome: 'duplicate' } };
    }
    await this.#applyBuiltIn(event);
    return { reply: { status: 200, body: {}, outcome: 'event', event }, start: () => handlers.start() };
  }

  /** Before the reply, so that a crash in between loses nothing; a slow store must not delay the reply for long. */
  async #applyBuiltIn(event: FeishuEvent): Promise<void> {
    const { builtIn, clock, log } = this.#deps;
    const applied = builtIn
      .apply(event)
      .catch((error: unknown) => log.builtInHandlingFailed(event.eventType, error));
    await withDeadline(clock, applied, BUILT_IN_HANDLERS_TIMEOUT_MS, () => undefined).catch(() => undefined);
  }
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (!ArrayBuffer.isView(body)) return undefined;
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}
