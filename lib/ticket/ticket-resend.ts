import { isFeishuAuthError, type FeishuAuthError } from '../errors/feishu-auth.error.js';
import { claimKey } from '../lock/claim-key.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { type TokenGrants } from '../platform/token-grants.js';
import { type Clock } from '../time/clock.js';

const RESEND_INTERVAL_MS = 60_000;

export interface TicketResendDependencies {
  /** The lock's key for the claim on a request. */
  readonly key: string;
  readonly grants: Pick<TokenGrants, 'resendAppTicket'>;
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
}

/** Asks Feishu to push the ticket again: at most once a minute among all processes that share the lock. */
export class TicketResend {
  readonly #deps: TicketResendDependencies;
  readonly #closed = new AbortController();
  #requestedAt = -Infinity;
  #request: Promise<void> = Promise.resolve();

  constructor(deps: TicketResendDependencies) {
    this.#deps = deps;
  }

  /**
   * All callers within a minute share one request, which no caller can abort.
   *
   * @throws FeishuAuthError if Feishu refused for a reason that a retry does not change
   */
  request(): Promise<void> {
    const now = this.#deps.clock.monotonic();
    if (now - this.#requestedAt >= RESEND_INTERVAL_MS) {
      this.#requestedAt = now;
      this.#request = this.#send();
      // Handled here, because a request may have no caller that waits for it.
      this.#request.catch(() => undefined);
    }
    return this.#request;
  }

  close(reason: FeishuAuthError): void {
    this.#closed.abort(reason);
  }

  async #send(): Promise<void> {
    const { clock, lock, key, grants, onFailed } = this.#deps;
    const { signal } = this.#closed;
    try {
      const claim = await claimKey(lock, clock, key, RESEND_INTERVAL_MS);
      if (claim !== 'taken') await grants.resendAppTicket(signal);
    } catch (error) {
      if (signal.aborted) return;
      onFailed(error);
      // After a transient failure callers keep waiting: the hourly push may still come.
      if (isFeishuAuthError(error) && !error.retryable) throw error;
    }
  }
}
