import { isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { isAppTokenRejection } from '../../platform/error-codes.js';
import { type TokenGrant } from '../../platform/token-grants.js';
import { type AppTickets } from '../../ticket/app-tickets.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { type TokenFlight } from './token-flight.js';

/** A flight has 8 s in all. This is what remains after a store that hung. */
const TICKET_WAIT_MS = 7_000;

/**
 * Requests the tokens of one kind from Feishu.
 *
 * @internal
 */
export interface TokenSource {
  /**
   * Gets what the request needs before the lock is taken: no lock is held while another flight is waited for.
   *
   * @param storeAnswers whether the store answered this flight; if not, it is not waited for again
   */
  prepare(flight: TokenFlight, storeAnswers: boolean): Promise<string | undefined>;
  /** Sends one request. */
  request(slot: TokenSlot, flight: TokenFlight, prepared: string | undefined): Promise<TokenGrant>;
  /** Feishu rejected what `prepare` returned: another one, to be tried once, or `undefined`. */
  recover(flight: TokenFlight, prepared: string | undefined, error: unknown): Promise<string | undefined>;
}

/** A grant for the app's credentials alone. */
export class CredentialsSource implements TokenSource {
  constructor(private readonly grant: (signal: AbortSignal) => Promise<TokenGrant>) {}

  prepare(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  request(_slot: TokenSlot, { signal }: TokenFlight): Promise<TokenGrant> {
    return this.grant(signal);
  }

  recover(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** A grant for the `app_ticket` of a store app. */
export class AppTicketSource implements TokenSource {
  constructor(
    private readonly tickets: AppTickets,
    private readonly grant: (appTicket: string, signal: AbortSignal) => Promise<TokenGrant>,
  ) {}

  /** Waits for the ticket only if a caller waits for the flight. */
  async prepare(flight: TokenFlight, storeAnswers: boolean): Promise<string> {
    const { signal } = flight;
    const held = storeAnswers ? undefined : this.tickets.held();
    const ticket = held ?? (await this.tickets.current());
    if (ticket !== undefined) return ticket;
    return this.tickets.waitForTicket({ signal, timeoutMs: flight.blocking ? TICKET_WAIT_MS : 0 });
  }

  request(_slot: TokenSlot, { signal }: TokenFlight, ticket = ''): Promise<TokenGrant> {
    return this.grant(ticket, signal);
  }

  async recover(flight: TokenFlight, ticket = '', error: unknown): Promise<string | undefined> {
    if (!isFeishuAuthError(error, 'ERR_FEISHU_APP_TICKET_MISSING')) return undefined;
    this.tickets.refuse(ticket);
    return this.prepare(flight, true);
  }
}

/** The token that another grant needs. */
export interface NeededToken {
  get(signal: AbortSignal): Promise<string>;
  /** The grant rejected `value`: drops it if it is still the current one. */
  reject(value: string): Promise<unknown>;
}

/** A grant for another token of the app: a store app's `app_access_token` grants the tokens of its tenants. */
export class NeededTokenSource implements TokenSource {
  constructor(
    private readonly needed: NeededToken,
    private readonly grant: (needed: string, slot: TokenSlot, signal: AbortSignal) => Promise<TokenGrant>,
  ) {}

  prepare({ signal }: TokenFlight): Promise<string> {
    return this.needed.get(signal);
  }

  request(slot: TokenSlot, { signal }: TokenFlight, needed = ''): Promise<TokenGrant> {
    return this.grant(needed, slot, signal);
  }

  async recover({ signal }: TokenFlight, needed = '', error: unknown): Promise<string | undefined> {
    if (!isFeishuAuthError(error) || !isAppTokenRejection(error.feishuCode)) return undefined;
    await this.needed.reject(needed);
    const another = await this.needed.get(signal);
    return another === needed ? undefined : another;
  }
}
