import { randomUUID } from 'node:crypto';
import { type EmulatorClock } from './emulator-clock.js';
import {
  challengeRequest,
  envelopeOf,
  signedRequest,
  type EmulatedEvent,
  type SignedRequest,
} from './emulator-event-body.js';
import { type EmulatorSchedule } from './emulator-schedule.js';
import { type EmulatorTickets } from './emulator-tickets.js';

/**
 * Where an app's events go. An app has one event URL.
 *
 * @publicApi
 */
export interface EventSubscription {
  appId: string;
  url: string;
  /** With it, events are encrypted and signed. */
  encryptKey?: string;
  verificationToken?: string;
  /** How long the endpoint may take, in milliseconds of real time. @default 3000 */
  timeoutMs?: number;
  /**
   * `false`: a redelivery is the very request again, signature and all. The documentation does not say which it is.
   * @default true, with its own time, nonce and signature
   */
  signsAnew?: boolean;
}

/**
 * What became of one event.
 *
 * @publicApi
 */
export interface EmulatedDelivery {
  readonly eventId: string;
  readonly eventType: string;
  /** HTTP status of each attempt, in order; 0 for one that was not answered in time. */
  readonly attempts: readonly number[];
  /** Whether an attempt was answered with 200, so that none follows. */
  readonly isAcknowledged: boolean;
  /** The last request, to send again or to forge another one from. */
  readonly request: SignedRequest;
}

interface Delivery {
  readonly eventId: string;
  readonly eventType: string;
  readonly attempts: number[];
  isAcknowledged: boolean;
  request: SignedRequest;
}

/** After the first attempt, and each further one, in milliseconds. */
const REDELIVERIES_MS = [15_000, 5 * 60_000, 60 * 60_000, 6 * 60 * 60_000];
const TICKET_EVERY_MS = 60 * 60_000;
const TIMEOUT_MS = 3_000;
const CHALLENGE_TIMEOUT_MS = 1_000;

/**
 * Pushes events to the event URL of an app, as the platform does: what is not answered with 200 in time comes again
 * after 15 s, 5 min, 1 h and 6 h of the emulator's clock. A store app is sent its `app_ticket` every hour, and whenever
 * it asks.
 *
 * @example
 * emulator.events.subscribe({ appId, url: 'http://127.0.0.1:3000/feishu/events', encryptKey });
 * await emulator.events.push(appId, { type: 'im.message.receive_v1', tenantKey: 'tenant_a', event: { message } });
 *
 * @publicApi
 */
export class EmulatorEvents {
  /** Every event so far, in the order they happened. Set its `length` to 0 to start over. */
  readonly deliveries: EmulatedDelivery[] = [];
  private readonly subscriptions = new Map<string, EventSubscription>();
  private readonly callOffs = new Map<string, () => void>();
  /** Tickets that were pushed when there was no URL yet. */
  private readonly homeless = new Map<string, string>();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly stopping = new AbortController();

  /** @internal */
  constructor(
    private readonly clock: EmulatorClock,
    private readonly schedule: EmulatorSchedule,
    private readonly tickets: EmulatorTickets,
  ) {
    tickets.on(({ appId, appTicket }) => this.sendTicket(appId, appTicket));
  }

  /**
   * From now on events of this app go there; redeliveries of earlier ones go where those went. A ticket that was pushed
   * when there was no URL yet is delivered now.
   */
  subscribe(subscription: EventSubscription): void {
    const { appId } = subscription;
    this.unsubscribe(appId);
    this.subscriptions.set(appId, { ...subscription });
    this.pushTicketAt(appId, this.clock.now() + TICKET_EVERY_MS);
    const homeless = this.homeless.get(appId);
    if (homeless !== undefined && this.homeless.delete(appId)) this.sendTicket(appId, homeless);
  }

  unsubscribe(appId: string): void {
    this.subscriptions.delete(appId);
    this.callOffs.get(appId)?.();
  }

  /** @internal */
  isSubscribed(appId: string): boolean {
    return this.subscriptions.has(appId);
  }

  /** What the console does with a URL that is typed in: whether it answers the challenge, within a second. */
  async verifyUrl(appId: string): Promise<boolean> {
    const subscription = this.subscriptionOf(appId);
    const challenge = randomUUID();
    const request = challengeRequest(challenge, subscription);
    try {
      const response = await this.post(subscription.url, request, CHALLENGE_TIMEOUT_MS);
      const answer: unknown = await response.json();
      return response.status === 200 && (answer as { challenge?: unknown } | null)?.challenge === challenge;
    } catch {
      return false;
    }
  }

  /** Delivers an event; if that fails, redeliveries follow by the clock. Resolves after the first attempt. */
  async push(appId: string, event: EmulatedEvent): Promise<EmulatedDelivery> {
    const { delivery, attempt } = this.happen(appId, event, this.clock.now());
    await attempt;
    return delivery;
  }

  /** Sends a request that was made before, or forged from one, as it is. Resolves with the HTTP status, 0 for none. */
  async send(appId: string, request: SignedRequest): Promise<number> {
    try {
      const { status } = await this.post(this.subscriptionOf(appId).url, request, TIMEOUT_MS);
      return status;
    } catch {
      return 0;
    }
  }

  /** Resolves when no attempt is under way; redeliveries to come are not waited for. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** @internal */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.settled();
  }

  private happen(
    appId: string,
    event: EmulatedEvent,
    at: number,
  ): { delivery: Delivery; attempt: Promise<void> } {
    const subscription = this.subscriptionOf(appId);
    const eventId = event.eventId ?? randomUUID();
    const envelope = envelopeOf(appId, { ...event, eventId }, subscription, event.createdAt ?? at);
    const delivery: Delivery = {
      eventId,
      eventType: event.type,
      attempts: [],
      isAcknowledged: false,
      request: signedRequest(envelope, subscription, this.clock.now()),
    };
    this.deliveries.push(delivery);
    return { delivery, attempt: this.attempt(subscription, delivery, envelope, at) };
  }

  /** @param at when it was due, by the clock */
  private attempt(
    subscription: EventSubscription,
    delivery: Delivery,
    envelope: object,
    at: number,
  ): Promise<void> {
    const work = (async () => {
      const { url, timeoutMs = TIMEOUT_MS, signsAnew = true } = subscription;
      if (signsAnew && delivery.attempts.length > 0) {
        delivery.request = signedRequest(envelope, subscription, this.clock.now());
      }
      const status = await this.post(url, delivery.request, timeoutMs).then(
        (response) => response.status,
        () => 0,
      );
      delivery.attempts.push(status);
      delivery.isAcknowledged = status === 200;
      if (!delivery.isAcknowledged) this.redeliver(subscription, delivery, envelope, at);
    })();
    this.underWay.add(work);
    return work.finally(() => this.underWay.delete(work));
  }

  private redeliver(subscription: EventSubscription, delivery: Delivery, envelope: object, at: number): void {
    const pause = REDELIVERIES_MS[delivery.attempts.length - 1];
    if (pause === undefined || this.stopping.signal.aborted) return;
    const again = (due: number): void => void this.attempt(subscription, delivery, envelope, due);
    if (at + pause <= this.clock.now()) again(at + pause);
    else this.schedule.at(at + pause, again);
  }

  private sendTicket(appId: string, appTicket: string, at = this.clock.now()): void {
    if (!this.subscriptions.has(appId)) {
      this.homeless.set(appId, appTicket);
      return;
    }
    const event: EmulatedEvent = { type: 'app_ticket', schema: '1.0', event: { app_ticket: appTicket } };
    void this.happen(appId, event, at).attempt;
  }

  private pushTicketAt(appId: string, time: number): void {
    const callOff = this.schedule.at(time, (due) => {
      this.pushTicketAt(appId, due + TICKET_EVERY_MS);
      // Only a store app has one.
      if (this.tickets.current(appId) !== undefined) this.tickets.push(appId);
    });
    this.callOffs.set(appId, callOff);
  }

  private async post(url: string, { headers, body }: SignedRequest, timeoutMs: number): Promise<Response> {
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    // The body is read too: a connection that is not is not given back.
    return new Response(await response.text(), { status: response.status });
  }

  private subscriptionOf(appId: string): EventSubscription {
    const subscription = this.subscriptions.get(appId);
    if (!subscription) throw new Error(`${appId} has no event URL: emulator.events.subscribe() it`);
    return subscription;
  }
}
