import { type FeishuAuthError, isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { type ResolvedQuery } from '../token-query.js';
import { type TokenSlot } from '../slot/token-slot.js';

/** The part of Nest's Logger that is used. */
export interface FailureLogger {
  warn(message: string): void;
  error(message: string): void;
  log(message: string): void;
}

/** However many tenants fail for one reason, it is said this often. */
const REPEAT_MS = 60_000;

/** Says a failure once, and its end; not once a call, and not once a tenant. */
export class FailureLog {
  private readonly logged = new WeakMap<TokenSlot, string>();
  private readonly lastByCode = new Map<string, { at: number; suppressed: number }>();

  constructor(
    private readonly logger: FailureLogger,
    private readonly clock: Clock,
  ) {}

  failed(slot: TokenSlot, error: FeishuAuthError): void {
    if (this.logged.get(slot) === error.code) return;
    this.logged.set(slot, error.code);
    const suppressed = this.isDue(`${slot.query.kind} ${error.code}`);
    if (suppressed === undefined) return;
    const log = error.code === 'ERR_FEISHU_CREDENTIALS_REJECTED' ? 'error' : 'warn';
    const more = suppressed > 0 ? ` (and ${suppressed} more like it)` : '';
    this.say(log, `${nameOf(slot.query)}: ${error.code}: ${error.message}${inBrackets(error.logId)}${more}`);
  }

  succeeded(slot: TokenSlot): void {
    if (!this.logged.delete(slot)) return;
    if (this.isDue(`${slot.query.kind} recovered`) === undefined) return;
    this.say('log', `${nameOf(slot.query)}: renewed again`);
  }

  resendFailed(error: unknown): void {
    if (this.isDue('resend') === undefined) return;
    const what = isFeishuAuthError(error) ? `${error.code}: ${error.message}` : 'unexpectedly';
    this.say('warn', `app_ticket: asking for it again failed: ${what}`);
  }

  /** How many were left unsaid since the last time, or `undefined` when it is too early to say it again. */
  private isDue(what: string): number | undefined {
    const now = this.clock.monotonic();
    const last = this.lastByCode.get(what);
    if (last && now - last.at < REPEAT_MS) {
      last.suppressed++;
      return undefined;
    }
    this.lastByCode.set(what, { at: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }

  /** A logger of the host's that throws must not fail a renewal. */
  private say(level: keyof FailureLogger, message: string): void {
    try {
      this.logger[level](message);
    } catch {
      // There is nowhere left to say it.
    }
  }
}

function nameOf({ kind, tenantKey }: ResolvedQuery): string {
  return tenantKey === undefined ? `${kind}_access_token` : `${kind}_access_token of ${tenantKey}`;
}

function inBrackets(logId: string | undefined): string {
  return logId === undefined ? '' : ` [log id ${logId}]`;
}
