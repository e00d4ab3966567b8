import { type EventMetrics } from '../metrics/event-metrics.js';
import { type Clock } from '../time/clock.js';
import { type EventLog } from './event-log.js';
import { EventQueue, type EventJob } from './event-queue.js';
import { type FeishuEvent } from './feishu-event.js';
import { ANY_EVENT } from './on-feishu-event.decorator.js';

export type EventHandler = (event: FeishuEvent) => unknown;

/** The handlers of one accepted event, which wait for the reply to be sent. */
export interface PreparedHandlers {
  /** Runs the handlers. Only the first call counts. */
  start(): void;
  /** The handlers will not run. */
  cancel(): void;
}

export interface EventDispatcherDependencies {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly metrics: EventMetrics;
}

/** How long handlers may go on while the application closes. */
const CLOSE_GRACE_MS = 3_000;

/** Runs the application's `@OnFeishuEvent()` methods. */
export class EventDispatcher {
  private readonly handlers = new Map<string, { name: string; handle: EventHandler }[]>();
  private readonly queue: EventQueue;

  constructor(private readonly deps: EventDispatcherDependencies) {
    const { clock, log, metrics } = deps;
    this.queue = new EventQueue({
      clock,
      onDone: () => metrics.handled(),
      onFailed: ({ name }, error) => {
        metrics.failed();
        log.handlerFailed(name, error);
      },
      onSlow: ({ name }) => log.handlerSlow(name),
    });
    metrics.attach(this.queue);
  }

  register(eventType: string, name: string, handle: EventHandler): void {
    this.handlers.set(eventType, [...(this.handlers.get(eventType) ?? []), { name, handle }]);
  }

  /** Keeps room for the handlers of `event`; `undefined` if too many events wait. */
  prepare(event: FeishuEvent): PreparedHandlers | undefined {
    const jobs = this.jobsOf(event);
    const reservation = this.queue.reserve(jobs.length);
    return reservation && { start: () => reservation.fill(jobs), cancel: () => reservation.cancel() };
  }

  async close(): Promise<void> {
    const abandoned = await this.queue.drained(CLOSE_GRACE_MS);
    if (abandoned === 0) return;
    this.deps.metrics.dropped(abandoned);
    this.deps.log.abandoned(abandoned);
  }

  private jobsOf(event: FeishuEvent): EventJob[] {
    const handlers = [event.eventType, ANY_EVENT].flatMap((type) => this.handlers.get(type) ?? []);
    return handlers.map(({ name, handle }) => ({ name, run: () => handle(event) }));
  }
}
