import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type EventMetrics } from '../metrics/event-metrics.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { type EventDeduplicator } from './event-deduplicator.js';
import { type EventDelivery, type FeishuEventHeaders } from './event-delivery.js';
import { type EventLog } from './event-log.js';
import { EventQueue } from './event-queue.js';
import { refused, type EventRefusalReason } from './event-refusal.js';
import { type EventVerifier, type Verdict } from './event-verifier.js';
import { type FeishuEvent } from './feishu-event.js';
import { ANY_EVENT } from './on-feishu-event.decorator.js';
import { type BuiltInEventHandlers } from './built-in-event-handlers.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/**
 * How a delivery is to be answered.
 *
 * @publicApi
 */
export interface FeishuEventReply {
  /** HTTP status: 200, 403 for what was refused, 503 while the application closes (Feishu delivers it again). */
  status: number;
  /** To be sent as JSON, as it is. */
  body: Record<string, unknown>;
  /** What became of it. `'duplicate'`: an event that was handled before is acknowledged and not handled again. */
  outcome: 'event' | 'duplicate' | 'challenge' | 'refused' | 'closing';
  /** The verified event, where it is one to be handled. */
  event?: FeishuEvent;
  /** Why it was refused; the sender must not learn it. */
  reason?: EventRefusalReason;
}

/** @internal */
export interface EventServiceDependencies {
  readonly verifier: EventVerifier;
  readonly claims: EventDeduplicator;
  readonly own: BuiltInEventHandlers;
  readonly metrics: EventMetrics;
  readonly log: EventLog;
  readonly clock: Clock;
}

type Handler = (event: FeishuEvent) => unknown;

/** What the module does itself with an event may hold up the answer this long. */
const BUILT_IN_HANDLERS_TIMEOUT_MS = 1_000;
/** How long handlers that run when the application closes get to end. */
const CLOSE_GRACE_MS = 3_000;

/** The one answer to whatever is refused: which check failed is nobody's business. */
const REFUSED = { code: 'ERR_FEISHU_EVENT_REJECTED', msg: 'this delivery is not accepted' };
const CLOSING = { code: 'ERR_FEISHU_CLOSED', msg: 'closing: deliver it again' };

/**
 * Takes in what is delivered to the app's event URL: verifies it, sees that each event is handled once, and runs the
 * handlers. `webhookPath` registers an endpoint that does so; call {@link receive} where you own the endpoint.
 *
 * @publicApi
 */
@FeishuService('FeishuEventService')
export class FeishuEventService {
  private readonly handlers = new Map<string, { name: string; handle: Handler }[]>();
  private readonly queue: EventQueue | undefined;
  /** Verified events whose answer is still on its way. */
  private readonly answering = new WeakMap<FeishuEvent, () => void>();
  private closing = false;

  /** @param deps absent when the instance has no `events` option @internal */
  constructor(private readonly deps: EventServiceDependencies | undefined) {
    if (!deps) return;
    const { clock, log, metrics } = deps;
    this.queue = new EventQueue({
      clock,
      onDone: () => metrics.handled(),
      onFailed: ({ name }, error) => {
        metrics.failed();
        log.handlerFailed(name, error);
      },
      onSlow: ({ name }) => log.handlerSlow(name),
      onDropped: ({ name }) => {
        metrics.dropped();
        log.dropped(name);
      },
    });
    metrics.attach(this.queue);
  }

  /**
   * Takes in one delivery: the headers, and the body's bytes as they came in. Answer with the `status` and `body` that
   * come back, at once: the handlers start in the next turn of the event loop.
   *
   * Never rejects for what was sent.
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` without a raw body, or when the instance has no `events` option
   */
  async receive(headers: FeishuEventHeaders, rawBody: Uint8Array | string): Promise<FeishuEventReply> {
    const bytes: unknown = typeof rawBody === 'string' ? Buffer.from(rawBody, 'utf8') : rawBody;
    if (!ArrayBuffer.isView(bytes)) {
      throw invalid('receive() takes the raw body, as bytes: a parsed one cannot be verified');
    }
    const reply = await this.take({
      headers,
      rawBody: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    });
    const { event } = reply;
    if (event) setImmediate(() => this.dispatch(event));
    return reply;
  }

  /** The application closes. @internal */
  get isClosing(): boolean {
    return this.closing;
  }

  /** Everything but the handlers, which {@link dispatch} starts. @internal */
  async take(delivery: EventDelivery): Promise<FeishuEventReply> {
    if (!this.deps) {
      throw invalid('this instance takes no events: give it events.encryptKey or events.verificationToken');
    }
    const { verifier, metrics, log } = this.deps;
    // Before anything is claimed: another process is to have it when it comes again.
    if (this.closing) return { status: 503, body: { ...CLOSING }, outcome: 'closing' };
    metrics.received();
    const reply = await this.replyTo(verifier.verify(delivery));
    metrics.ended(reply.outcome, reply.reason);
    if (reply.reason) log.refused(reply.reason);
    if (reply.event && this.queue) this.answering.set(reply.event, this.queue.announce());
    return reply;
  }

  /** Starts the handlers of a verified event. @internal */
  dispatch(event: FeishuEvent): void {
    for (const type of [event.eventType, ANY_EVENT]) {
      for (const { name, handle } of this.handlers.get(type) ?? []) {
        this.queue?.push({ name, run: () => handle(event) });
      }
    }
    this.answering.get(event)?.();
    this.answering.delete(event);
  }

  /** @internal */
  register(eventType: string, name: string, handle: Handler): void {
    this.handlers.set(eventType, [...(this.handlers.get(eventType) ?? []), { name, handle }]);
  }

  /** The host parsed the body and kept no bytes of it. @internal */
  reportNoRawBody(): void {
    this.deps?.log.noRawBody();
  }

  /** While tokens are still to be had. @internal */
  async onModuleDestroy(): Promise<void> {
    this.closing = true;
    await this.queue?.drained(CLOSE_GRACE_MS);
  }

  private async replyTo(verdict: Verdict): Promise<FeishuEventReply> {
    if (verdict.kind === 'refused') {
      return { status: 403, body: { ...REFUSED }, outcome: 'refused', reason: verdict.reason };
    }
    if (verdict.kind === 'challenge') {
      return { status: 200, body: { challenge: verdict.challenge }, outcome: 'challenge' };
    }
    const { event, proof } = verdict;
    const { claims } = this.deps as EventServiceDependencies;
    if (proof !== undefined && !(await claims.claimProof(proof))) return this.replyTo(refused('replay'));
    if (!(await claims.claimEvent(event.eventId))) return { status: 200, body: {}, outcome: 'duplicate' };
    await this.applyOwn(event);
    return { status: 200, body: {}, outcome: 'event', event };
  }

  /** Before the answer, so that a crash in between loses none of it; but no store may hold the answer up. */
  private async applyOwn(event: FeishuEvent): Promise<void> {
    const { own, clock, log } = this.deps as EventServiceDependencies;
    const applied = own.apply(event).catch((error: unknown) => log.ownHandlingFailed(event.eventType, error));
    await withDeadline(clock, applied, BUILT_IN_HANDLERS_TIMEOUT_MS, () => undefined).catch(() => undefined);
  }
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}
