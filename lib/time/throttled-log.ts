import { type Clock } from './clock.js';

/** The part of Nest's Logger that the module uses. */
export interface ModuleLogger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, stack?: string): void;
}

const REPEAT_MS = 60_000;

/**
 * Logs each subject at most once a minute, and says how many messages it left out. One cause can produce a message for
 * every tenant, and anybody on the network can cause some.
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
      if (level === 'error') this.logger.error(message + more, stack);
      else this.logger[level](message + more);
    } catch {
      // The host's logger throws: there is no other place to report it.
    }
  }
}
