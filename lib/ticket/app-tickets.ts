import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { type AppType } from '../platform/app-type.js';
import { MAX_CLOCK_LEAD_MS } from '../platform/event-clock.js';
import { type TokenGrants } from '../platform/token-grants.js';
import { type RecordStore } from '../store/record-store.js';
import { type Clock } from '../time/clock.js';
import { withDeadline, withSignal } from '../time/deadline.js';
import { SharedTicket } from './shared-ticket.js';
import { TicketResend } from './ticket-resend.js';

const DEFAULT_TIMEOUT_MS = 10_000;
/** What a timer of the runtime can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** While a caller waits: the pause between two looks into the store, where another process may have put a ticket. */
const LOOK_INTERVAL_MS = 500;

export interface AppTicketsDependencies {
  readonly appType: AppType;
  readonly key: string;
  readonly records: RecordStore;
  /** How long `set()` waits for the store, in milliseconds. */
  readonly storeTimeoutMs: number;
  readonly grants: Pick<TokenGrants, 'resendAppTicket'>;
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly onResendFailed: (error: unknown) => void;
}

/** A store app's `app_ticket`: taken in, shared, waited for, asked for again. A self-built app has none. */
export class AppTickets {
  readonly #deps: AppTicketsDependencies;
  readonly #ticket: SharedTicket;
  readonly #resend: TicketResend;
  readonly #waiters = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #closed: FeishuAuthError | undefined;

  constructor(deps: AppTicketsDependencies) {
    const { records, key, grants, lock, clock, onResendFailed } = deps;
    this.#deps = deps;
    this.#ticket = new SharedTicket(records, key);
    this.#resend = new TicketResend({
      key: `${key}:resend`,
      grants,
      lock,
      clock,
      onFailed: onResendFailed,
    });
  }

  async set(ticket: string): Promise<void> {
    this.#assertStoreApp();
    assertTicket(ticket);
    // The application's latest call counts, also when the wall clock was set back in between.
    const heldAt = this.#ticket.held?.obtainedAt ?? -Infinity;
    await this.#take(ticket, Math.max(this.#deps.clock.now(), heldAt));
  }

  /**
   * Takes over the ticket of a verified event, unless a newer one is known: events come late, and in any order.
   *
   * @param sentAt the event's own time, in epoch milliseconds
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   */
  async receive(ticket: unknown, sentAt: number): Promise<void> {
    this.#assertStoreApp();
    assertTicket(ticket);
    const at = Math.min(sentAt, this.#deps.clock.now() + MAX_CLOCK_LEAD_MS);
    const { held } = this.#ticket;
    if (held && held.obtainedAt > at) return;
    await this.#take(ticket, at);
  }

  async current(): Promise<string | undefined> {
    if (this.#deps.appType !== 'store') return undefined;
    await this.#ticket.lookUp();
    return this.held();
  }

  /** The ticket that this process holds. Does not look into the store. */
  held(): string | undefined {
    return this.#ticket.held?.secret;
  }

  hasTicket(): boolean {
    return this.#ticket.held !== undefined;
  }

  async waitForTicket(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<string> {
    this.#assertStoreApp();
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    assertTimeout(timeoutMs);
    const { clock } = this.#deps;
    const giveUpAt = clock.monotonic() + timeoutMs;
    for (;;) {
      this.#throwIfOver(signal);
      const ticket = await this.current();
      if (ticket !== undefined) return ticket;
      this.#throwIfOver(signal);
      const resend = this.#resend.request();
      // A caller that does not wait for the ticket still learns why Feishu refuses to send one.
      if (timeoutMs === 0) await (signal ? withSignal(resend, signal) : resend);
      this.#throwIfOver(signal);
      // Set since the look into the store: too early to wake this caller.
      const held = this.held();
      if (held !== undefined) return held;
      const remainingMs = giveUpAt - clock.monotonic();
      if (remainingMs <= 0) throw ticketMissing();
      await this.#nextChange(Math.min(remainingMs, LOOK_INTERVAL_MS), resend, signal);
    }
  }

  /** Feishu refused `ticket`: drops it if it is the held one. */
  refuse(ticket: string): void {
    this.#ticket.refuse(ticket);
  }

  /** Asks Feishu to push the ticket again. See {@link TicketResend.request}. */
  requestResend(): Promise<void> {
    return this.#resend.request();
  }

  /** Calls back whenever this process is given a ticket. */
  onTicket(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Stores the held ticket if the store did not take it before. Never rejects. */
  shareAgain(): Promise<void> {
    return this.#ticket.shareAgain();
  }

  close(): void {
    this.#closed = new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed');
    this.#resend.close(this.#closed);
    this.#wakeWaiters();
  }

  async #take(ticket: string, sentAt: number): Promise<void> {
    this.#ticket.take(ticket, sentAt);
    this.#wakeWaiters();
    for (const listener of this.#listeners) listener();
    const { clock, storeTimeoutMs } = this.#deps;
    // Two operations, one deadline. A store that is late is shared with again by the next sweep.
    await withDeadline(clock, this.#ticket.share(), storeTimeoutMs, () => undefined).catch(() => undefined);
  }

  #wakeWaiters(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Until a ticket is set here, `ms` are over, or the wait is. Rejects as `resend` does. */
  async #nextChange(ms: number, resend: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const changed = new AbortController();
    const wake = (): void => changed.abort();
    this.#waiters.add(wake);
    const slept = this.#deps.clock.sleep(ms, changed.signal, { ref: true });
    const refused = resend.then(() => slept);
    const change = Promise.race([slept, refused]);
    try {
      await (signal ? withSignal(change, signal) : change);
    } finally {
      this.#waiters.delete(wake);
      wake();
    }
  }

  #throwIfOver(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
  }

  #assertStoreApp(): void {
    if (this.#deps.appType === 'store') return;
    throw invalid("a self-built app has no app_ticket; set appType: 'store' if this is a store app");
  }
}

function assertTicket(ticket: unknown): asserts ticket is string {
  if (typeof ticket === 'string' && /^[\x21-\x7e]{1,1024}$/.test(ticket)) return;
  throw invalid(
    'app_ticket must be a string of 1 to 1024 printable ASCII characters; pass event.app_ticket of the event as it is',
  );
}

function assertTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw invalid(`timeoutMs must be a number of milliseconds from 0 to ${MAX_TIMEOUT_MS}`);
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', message);
}

function ticketMissing(): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_APP_TICKET_MISSING',
    'no app_ticket has arrived yet; Feishu pushes it to the event URL of the app: set webhookPath, or pass the ticket to AppTicketService.set()',
    { retryable: true },
  );
}
