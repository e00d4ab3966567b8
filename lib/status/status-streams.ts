import { type MessageEvent } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';
import { type Clock, type ClockTimer } from '../time/clock.js';

/** More open pages than this are refused: each holds a connection. */
export const MAX_STREAMS = 20;
const SEND_EVERY_MS = 2_000;
/** A proxy closes a connection that is silent; most wait for 30 s or longer. */
const HEARTBEAT_EVERY_MS = 10_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 3_000;

/** The open pages. One timer serves them all, and runs only while there is one. */
export class StatusStreams {
  readonly #clock: Clock;
  readonly #snapshot: () => object;
  readonly #subscribers = new Set<Subscriber<MessageEvent>>();
  #timer: ClockTimer | undefined;
  #sentAt = -Infinity;
  #sent = '';
  #closed = false;

  constructor(clock: Clock, snapshot: () => object) {
    this.#clock = clock;
    this.#snapshot = snapshot;
  }

  get isFull(): boolean {
    return this.#closed || this.#subscribers.size >= MAX_STREAMS;
  }

  open(): Observable<MessageEvent> {
    return new Observable((subscriber) => {
      if (this.isFull) {
        subscriber.complete();
        return undefined;
      }
      this.#subscribers.add(subscriber);
      subscriber.next({ type: 'snapshot', retry: RETRY_MS, data: this.#snapshot() });
      this.#timer ??= this.#clock.setInterval(() => this.#send(), SEND_EVERY_MS);
      return () => this.#remove(subscriber);
    });
  }

  /** Ends every stream. An open one would hold up `app.close()`. */
  close(): void {
    this.#closed = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
  }

  #send(): void {
    const snapshot = this.#snapshot();
    const text = JSON.stringify(snapshot, withoutTimes);
    const now = this.#clock.monotonic();
    const isNews = text !== this.#sent;
    if (!isNews && now - this.#sentAt < HEARTBEAT_EVERY_MS) return;
    this.#sent = text;
    this.#sentAt = now;
    const event: MessageEvent = isNews
      ? { type: 'snapshot', data: snapshot }
      : { type: 'heartbeat', data: {} };
    for (const subscriber of [...this.#subscribers]) subscriber.next(event);
  }

  #remove(subscriber: Subscriber<MessageEvent>): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** A new time alone is not a change. */
function withoutTimes(key: string, value: unknown): unknown {
  return key === 'at' ? undefined : value;
}
