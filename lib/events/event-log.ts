import { type Clock } from '../time/clock.js';
import { REFUSAL_HINTS, type EventRefusalReason } from './event-refusal.js';

/** The part of Nest's Logger that is used. @internal */
export interface EventLogger {
  warn(message: string): void;
  error(message: string, stack?: string): void;
}

const REPEAT_MS = 60_000;

/** What happens at the event endpoint, each thing once a minute: anybody can send anything there. Never a body. */
export class EventLog {
  private readonly last = new Map<string, { at: number; unsaid: number }>();

  constructor(
    private readonly logger: EventLogger,
    private readonly clock: Clock,
  ) {}

  refused(reason: EventRefusalReason): void {
    this.say('warn', `refused ${reason}`, `event refused (${reason}): ${REFUSAL_HINTS[reason]}`);
  }

  noRawBody(): void {
    this.say(
      'error',
      'raw body',
      'event refused: the request has no raw body to check its signature by; create the application with NestFactory.create(AppModule, { rawBody: true })',
    );
  }

  unguarded(): void {
    this.say(
      'warn',
      'unguarded',
      'the lock does not answer: until it does, an event that comes twice may be handled by two processes',
    );
  }

  handlerFailed(handler: string, error: unknown): void {
    // By handler: one that fails at every event must not hide another.
    const stack = error instanceof Error ? error.stack : undefined;
    this.say('error', `failed ${handler}`, `event handler ${handler} failed: ${describe(error)}`, stack);
  }

  handlerSlow(handler: string): void {
    this.say('warn', `slow ${handler}`, `event handler ${handler} has been running for 30 s`);
  }

  dropped(handler: string): void {
    this.say('error', 'dropped', `too many events wait for their handlers: ${handler} misses one`);
  }

  ownHandlingFailed(eventType: string, error: unknown): void {
    this.say('error', `own ${eventType}`, `event ${eventType} could not be applied: ${describe(error)}`);
  }

  private say(level: 'warn' | 'error', what: string, message: string, stack?: string): void {
    const now = this.clock.monotonic();
    const last = this.last.get(what);
    if (last && now - last.at < REPEAT_MS) {
      last.unsaid++;
      return;
    }
    this.last.set(what, { at: now, unsaid: 0 });
    const more = last?.unsaid ? ` (and ${last.unsaid} more like it)` : '';
    try {
      if (level === 'warn') this.logger.warn(message + more);
      else this.logger.error(message + more, stack);
    } catch {
      // There is nowhere left to say it.
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
