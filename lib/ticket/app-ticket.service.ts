import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { type TokenGrants } from '../platform/token-grants.js';
import { type RecordStore, type StoredSecret } from '../store/record-store.js';
import { UNAVAILABLE } from '../store/shared-store.js';
import { type Clock } from '../time/clock.js';
import { withDeadline, withSignal } from '../time/deadline.js';
import { type AppType } from '../platform/app-type.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/** At most one request to resend a minute, however many callers miss the ticket. */
const RESEND_EVERY_MS = 60_000;
/** A lock that does not answer within this is gone without. */
const LOCK_ANSWER_MS = 500;
/** An event's time that is further ahead of ours than this is not believed. */
const MAX_AHEAD_MS = 5 * 60_000;
/** While somebody waits, how often the store is looked into for a ticket that another process was given. */
const LOOK_EVERY_MS = 500;
const DEFAULT_TIMEOUT_MS = 10_000;

/** @internal */
export interface AppTicketDependencies {
  readonly appType: AppType;
  readonly key: string;
  readonly records: RecordStore;
  readonly grants: Pick<TokenGrants, 'resendAppTicket'>;
  readonly lock: RefreshLock;
  readonly clock: Clock;
  /** Told about a resend that failed; callers have an error of their own. */
  readonly onResendFailed: (error: unknown) => void;
}

/**
 * A store app's `app_ticket`, which Feishu pushes to the app's event URL every hour: held here and in the shared
 * store, waited for, asked for again. A self-built app has none.
 *
 * @publicApi
 */
@FeishuService('AppTicketService')
export class AppTicketService {
  private ticket: StoredSecret | undefined;
  /** The ticket that the platform refused last; the store may hold it a while longer. */
  private refused: string | undefined;
  private readonly waiters = new Set<() => void>();
  private readonly listeners = new Set<() => void>();
  private lastResendAt = -Infinity;
  private resend: Promise<void> = Promise.resolve();
  private readonly closed = new AbortController();

  /** @internal */
  constructor(private readonly deps: AppTicketDependencies) {}

  /**
   * Takes over the ticket of an `app_ticket` event; call it from your own event endpoint, after verifying the event.
   * Resolves when it is stored (or the store's deadline has passed: this process has it in any case).
   *
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for what is no ticket, and for a self-built app
   */
  async set(ticket: string): Promise<void> {
    this.assertStoreApp();
    assertTicket(ticket);
    const { clock, records, key } = this.deps;
    const taken = this.take(ticket, clock.now());
    if ((await records.read(key)) !== 'newer') await records.write(key, taken);
  }

  /**
   * Takes over the ticket of a verified event, unless a later one is known: events come late, and in any order.
   *
   * @param sentAt the event's own time, epoch milliseconds
   * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`
   * @internal
   */
  async receive(ticket: unknown, sentAt: number): Promise<void> {
    this.assertStoreApp();
    assertTicket(ticket);
    const { clock, records, key } = this.deps;
    const at = Math.min(sentAt, clock.now() + MAX_AHEAD_MS);
    if (this.ticket && this.ticket.obtainedAt > at) return;
    const { refused } = this;
    const taken = this.take(ticket, at);
    const stored = await records.read(key);
    // Another one was taken over while the store was read: that one sees to the store.
    if (stored === 'newer' || this.ticket !== taken) return;
    if (typeof stored === 'object' && stored.obtainedAt > at && stored.secret !== refused) {
      this.ticket = stored;
      return;
    }
    await records.write(key, taken);
  }

  /** The newest ticket known to this process or the shared store; `undefined` when there is none. */
  async current(): Promise<string | undefined> {
    if (this.deps.appType !== 'store') return undefined;
    const stored = await this.deps.records.read(this.deps.key);
    const isNews =
      stored !== UNAVAILABLE &&
      stored !== 'miss' &&
      stored !== 'newer' &&
      stored.secret !== this.refused &&
      stored.obtainedAt > (this.ticket?.obtainedAt ?? -Infinity);
    if (isNews) this.ticket = stored;
    return this.ticket?.secret;
  }

  /**
   * The ticket that this process holds, without a look into the store.
   *
   * @internal
   */
  held(): string | undefined {
    return this.ticket?.secret;
  }

  /**
   * Whether this process holds a ticket: no look into the store.
   *
   * @internal
   */
  hasTicket(): boolean {
    return this.ticket !== undefined;
  }

  /**
   * The ticket, as soon as there is one; asks the platform to send it again when there is none.
   *
   * @param options.timeoutMs how long to wait, in milliseconds @default 10_000
   * @throws FeishuAuthError `ERR_FEISHU_APP_TICKET_MISSING` (retryable) when none came in time,
   * `ERR_FEISHU_CREDENTIALS_REJECTED` when the platform refuses to send one, `ERR_FEISHU_CLOSED`,
   * `ERR_FEISHU_INVALID_ARGUMENT` for a self-built app
   */
  async waitForTicket(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<string> {
    const { clock } = this.deps;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    this.assertStoreApp();
    const giveUpAt = clock.monotonic() + timeoutMs;
    for (;;) {
      this.throwIfOver(signal);
      const ticket = await this.current();
      if (ticket !== undefined) return ticket;
      this.throwIfOver(signal);
      const resend = this.requestResend();
      // Who does not wait for the ticket still learns why there will be none.
      if (timeoutMs <= 0) await (signal ? withSignal(resend, signal) : resend);
      this.throwIfOver(signal);
      // One that was set since the look into the store woke nobody here.
      if (this.ticket !== undefined) return this.ticket.secret;
      const remaining = giveUpAt - clock.monotonic();
      if (remaining <= 0) throw this.missing();
      await this.nextChange(Math.min(remaining, LOOK_EVERY_MS), resend, signal);
    }
  }

  /**
   * Drops `ticket` if it is still the current one: the platform does not take it any more.
   *
   * @internal
   */
  refuse(ticket: string): void {
    if (this.ticket?.secret !== ticket) return;
    this.refused = ticket;
    this.ticket = undefined;
  }

  /**
   * Asks the platform to push the ticket again, at most once a minute across all that share the lock. Everybody who
   * asks within that minute shares the one request, which no caller's abort ends.
   *
   * @internal
   */
  requestResend(): Promise<void> {
    const now = this.deps.clock.monotonic();
    if (now - this.lastResendAt >= RESEND_EVERY_MS) {
      this.lastResendAt = now;
      this.resend = this.resendOnce();
      // Whoever waits learns of it; nobody has to.
      this.resend.catch(() => undefined);
    }
    return this.resend;
  }

  /**
   * Calls back whenever a ticket was set in this process.
   *
   * @internal
   */
  onTicket(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** @internal */
  close(): void {
    this.closed.abort(new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed'));
    this.wake();
  }

  private take(secret: string, obtainedAt: number): StoredSecret {
    const taken: StoredSecret = { secret, obtainedAt };
    this.ticket = taken;
    this.refused = undefined;
    this.wake();
    for (const listener of this.listeners) listener();
    return taken;
  }

  private async resendOnce(): Promise<void> {
    const { clock, lock, key, grants, onResendFailed } = this.deps;
    const { signal } = this.closed;
    try {
      // A claim: a lease that is never released.
      const asked = Promise.resolve().then(() =>
        lock.acquire(`${key}:resend`, { ttlMs: RESEND_EVERY_MS, waitMs: 0 }),
      );
      const claim = await withDeadline(clock, asked, LOCK_ANSWER_MS, () => undefined).catch(() => 'unlocked');
      if (claim) await grants.resendAppTicket(signal);
    } catch (error) {
      if (signal.aborted) return;
      onResendFailed(error);
      // Whoever waits learns why no ticket will come; anything passing leaves them waiting.
      if (isFeishuAuthError(error) && !error.retryable) throw error;
    }
  }

  private wake(): void {
    for (const wake of [...this.waiters]) wake();
  }

  /** Until a ticket is set here, `ms` have passed, or the wait is over. Rejects as `resend` does. */
  private async nextChange(
    ms: number,
    resend: Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const changed = new AbortController();
    const wake = (): void => changed.abort();
    this.waiters.add(wake);
    const slept = this.deps.clock.sleep(ms, changed.signal, { ref: true });
    const refused = resend.then(() => slept);
    const change = Promise.race([slept, refused]);
    try {
      await (signal ? withSignal(change, signal) : change);
    } finally {
      this.waiters.delete(wake);
      wake();
    }
  }

  private assertStoreApp(): void {
    if (this.deps.appType === 'store') return;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      "only a store app (appType: 'store') has an app_ticket",
    );
  }

  private throwIfOver(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    this.closed.signal.throwIfAborted();
  }

  private missing(): FeishuAuthError {
    return new FeishuAuthError(
      'ERR_FEISHU_APP_TICKET_MISSING',
      'no app_ticket: Feishu pushes it to the event URL of the app; pass it to AppTicketService.set()',
      { retryable: true },
    );
  }
}

function assertTicket(ticket: unknown): asserts ticket is string {
  if (typeof ticket === 'string' && /^[\x21-\x7e]{1,1024}$/.test(ticket)) return;
  throw new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', 'app_ticket is a string of printable characters');
}
