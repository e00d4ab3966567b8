import { isFeishuAuthError, type FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type ThrottledLog } from '../../time/throttled-log.js';
import { TOKEN_KINDS } from '../token-kinds.js';
import { type TokenSlot } from '../slot/token-slot.js';

/** Logs a failure once, and its end: not once a call, and not once a tenant. */
export class FailureLog {
  private readonly logged = new WeakMap<TokenSlot, string>();

  constructor(private readonly log: ThrottledLog) {}

  failed(slot: TokenSlot, { code, message, logId }: FeishuAuthError): void {
    if (this.logged.get(slot) === code) return;
    this.logged.set(slot, code);
    const level = code === 'ERR_FEISHU_CREDENTIALS_REJECTED' ? 'error' : 'warn';
    const logIdNote = logId === undefined ? '' : ` [log id ${logId}]`;
    this.log.say(level, `${slot.kind} ${code}`, `${nameOf(slot)}: ${code}: ${message}${logIdNote}`);
  }

  succeeded(slot: TokenSlot): void {
    if (!this.logged.delete(slot)) return;
    this.log.say('log', `${slot.kind} recovered`, `${nameOf(slot)}: renewed again`);
  }

  resendFailed(error: unknown): void {
    const reason = isFeishuAuthError(error) ? `${error.code}: ${error.message}` : 'unexpected error';
    this.log.say('warn', 'resend', `app_ticket: the request to send it again failed: ${reason}`);
  }
}

function nameOf({ kind, identity }: TokenSlot): string {
  const { label } = TOKEN_KINDS[kind];
  return identity === '' ? label : `${label} of ${identity}`;
}
