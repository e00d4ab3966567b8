import { type Clock } from './clock.js';

/** The part of Nest's Logger that the module uses. */
export interface ModuleLogger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, stack?: string): void;
}

const REPEAT_MS = 60_000;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * Logs each subject at most once a minute, and says how many messages it left out. One cause can produce a message for
 * every tenant, and anyone on the network can cause some.
 *
 * @internal
 */
export class ThrottledLog {
  private readonly last = new Map<string, { at: number; suppressed: number }>();

  constructor(
    private readonly logger: ModuleLogger,
    private readonly clock: Clock,
  ) {}

  /** @param subject what the message is about; from a bounded set, because each subject is remembered */
  say(level: keyof ModuleLogger, subject: string, message: string, stack?: string): void {
    const now = this.clock.monotonic();
    const last = this.last.get(subject);
    if (last && now - last.at < REPEAT_MS) {
      last.suppressed++;
      return;
    }
    this.last.set(subject, { at: now, suppressed: 0 });
    const more = last && last.suppressed > 0 ? ` (and ${last.suppressed} more like it)` : '';
    try {
      const line = oneLine(message) + more;
      if (level === 'error') this.logger.error(line, stack);
      else this.logger[level](line);
    } catch {
      // The host's logger throws: there is no other place to report it.
    }
  }
}

/** Text of another party must not forge log lines or send commands to a terminal. */
function oneLine(text: string): string {
  return text.replace(
    CONTROL_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
