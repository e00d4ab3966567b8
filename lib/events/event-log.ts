import { type ThrottledLog } from '../time/throttled-log.js';
import { REFUSAL_HINTS, type EventRefusalReason } from './event-refusal.js';

/** Logs what happens at the event endpoint. Throttled, because anyone can send anything there. Never logs a body. */
export class EventLog {
  constructor(private readonly log: ThrottledLog) {}

  refused(reason: EventRefusalReason): void {
    this.log.say('warn', `refused ${reason}`, `event refused (${reason}): ${REFUSAL_HINTS[reason]}`);
  }

  noRawBody(): void {
    this.log.say(
      'error',
      'no raw body',
      'event refused: the request body was parsed and its bytes were not kept, so its signature cannot be checked. Create the application with NestFactory.create(AppModule, { rawBody: true }). If it is, another body parser runs before the parser of Nest: replace app.use(json()) by app.useBodyParser("json")',
    );
  }

  unguarded(): void {
    this.log.say(
      'warn',
      'unguarded',
      'the lock does not answer: until it does, two processes may both handle an event that is delivered twice; check the server of the lock',
    );
  }

  busy(): void {
    this.log.say(
      'warn',
      'busy',
      'event answered 503: too many events wait for their handlers. Feishu delivers it again; make the handlers faster, or let them put the work into a queue',
    );
  }

  handlerFailed(handler: string, error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.log.say('error', `failed ${handler}`, `event handler ${handler} failed: ${describe(error)}`, stack);
  }

  handlerSlow(handler: string): void {
    this.log.say(
      'warn',
      `slow ${handler}`,
      `event handler ${handler} has been running for 30 s; other handlers no longer wait for it`,
    );
  }

  abandoned(handlers: number): void {
    this.log.say(
      'error',
      'abandoned',
      `the application closed before ${handlers} event handler(s) ended: their events are acknowledged and will not be delivered again`,
    );
  }

  builtInHandlingFailed(eventType: string, error: unknown): void {
    this.log.say(
      'error',
      `built-in ${eventType}`,
      `event ${eventType} could not be applied: ${describe(error)}`,
    );
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
