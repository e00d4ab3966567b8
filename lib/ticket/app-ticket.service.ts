import { FeishuService } from '../identity/feishu-service.decorator.js';
import { type AppTickets } from './app-tickets.js';

/**
 * The `app_ticket` of a store app. Feishu pushes it to the app's event URL every hour; this module keeps the newest one
 * in memory and in the shared store, and asks Feishu to send it again when it is missing. A self-built app has none.
 *
 * @publicApi
 */
@FeishuService('AppTicketService')
export class AppTicketService {
  readonly #tickets: AppTickets;

  /** @internal */
  constructor(tickets: AppTickets) {
    this.#tickets = tickets;
  }

  /**
   * Takes over the ticket of an `app_ticket` event. Call it from a custom event endpoint, after you verified the
   * event; an endpoint of this module (`webhookPath`) does it for you.
   *
   * The newest ticket wins, in this process and in the shared store.
   *
   * @param ticket `event.app_ticket`: 1 to 1024 printable ASCII characters
   * @returns resolves when the ticket is stored. This process has it at once, so a store that does not answer delays
   * the call by `refresh.storeTimeoutMs` at most; the ticket is then stored by a later sweep
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for a malformed ticket, and for a self-built app
   */
  set(ticket: string): Promise<void> {
    return this.#tickets.set(ticket);
  }

  /**
   * The newest ticket that this process or the shared store knows.
   *
   * @returns the ticket; `undefined` if none is known, and for a self-built app
   */
  current(): Promise<string | undefined> {
    return this.#tickets.current();
  }

  /**
   * Waits for a ticket. Asks Feishu to push it again if none is known, at most once a minute among all processes that
   * share the lock.
   *
   * @param options.timeoutMs how long to wait, in milliseconds, from 0 (ask, but do not wait) to 2_147_483_647
   * @default 10_000
   * @param options.signal stops the wait of this caller only
   * @returns the ticket
   * @throws FeishuAuthError `ERR_FEISHU_APP_TICKET_MISSING` (retryable) if none arrived in time,
   * `ERR_FEISHU_CREDENTIALS_REJECTED` if Feishu refuses to send one, `ERR_FEISHU_CLOSED` after the application closed,
   * `ERR_FEISHU_INVALID_ARGUMENT` for a wrong `timeoutMs`, and for a self-built app; or `signal.reason`
   */
  waitForTicket(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<string> {
    return this.#tickets.waitForTicket(options);
  }
}
