import { isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { isAppTokenRejection } from '../../platform/error-codes.js';
import { type TokenGrant, type TokenGrants } from '../../platform/token-grants.js';
import { type AppTicketService } from '../../ticket/app-ticket.service.js';
import { type TokenFlight } from './token-flight.js';
import { type TokenSlot } from '../slot/token-slot.js';

/** A flight's deadline is 8 s: what remains after a store that hung. */
const TICKET_WAIT_MS = 7_000;

/** A store app's own token, as its tenants' grants need it. */
export interface AppTokens {
  get(signal: AbortSignal): Promise<string>;
  /** The tenant grant rejected `value`: drops it if it is still the current one. */
  reject(value: string): Promise<unknown>;
}

/** Which grant a slot's token comes from, and what that grant needs first. */
export interface TokenSource {
  /**
   * What has to be had before the lock is taken; `undefined` where nothing has.
   *
   * @param storeAnswers whether the store answered this flight; one that did not is not waited for again
   */
  prepare(slot: TokenSlot, flight: TokenFlight, storeAnswers: boolean): Promise<string | undefined>;
  /** One request to the platform. */
  request(slot: TokenSlot, flight: TokenFlight, prepared: string | undefined): Promise<TokenGrant>;
  /** After the platform rejected what `prepare` gave: another one to try once, or `undefined`. */
  recover(flight: TokenFlight, prepared: string | undefined, error: unknown): Promise<string | undefined>;
}

export class SelfBuiltTokenSource implements TokenSource {
  constructor(private readonly grants: TokenGrants) {}

  prepare(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  request({ query }: TokenSlot, { signal }: TokenFlight): Promise<TokenGrant> {
    return query.kind === 'app' ? this.grants.selfBuiltApp(signal) : this.grants.selfBuiltTenant(signal);
  }

  recover(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** `app_ticket` -> `app_access_token` -> `tenant_access_token` per tenant. */
export class StoreAppTokenSource implements TokenSource {
  constructor(
    private readonly grants: TokenGrants,
    private readonly tickets: AppTicketService,
    private readonly appTokens: AppTokens,
  ) {}

  prepare({ query }: TokenSlot, flight: TokenFlight, storeAnswers: boolean): Promise<string> {
    return query.kind === 'app' ? this.ticket(flight, storeAnswers) : this.appTokens.get(flight.signal);
  }

  request({ query }: TokenSlot, { signal }: TokenFlight, prepared = ''): Promise<TokenGrant> {
    return query.tenantKey === undefined
      ? this.grants.storeApp(prepared, signal)
      : this.grants.storeTenant(prepared, query.tenantKey, signal);
  }

  async recover(flight: TokenFlight, prepared = '', error: unknown): Promise<string | undefined> {
    if (!isFeishuAuthError(error)) return undefined;
    if (error.code === 'ERR_FEISHU_APP_TICKET_MISSING') {
      this.tickets.refuse(prepared);
      return this.ticket(flight, true);
    }
    if (!isAppTokenRejection(error.feishuCode)) return undefined;
    await this.appTokens.reject(prepared);
    const another = await this.appTokens.get(flight.signal);
    return another === prepared ? undefined : another;
  }

  /** The ticket; waited for only where a caller waits anyway. */
  private async ticket(flight: TokenFlight, storeAnswers: boolean): Promise<string> {
    const { signal } = flight;
    const ticket = (storeAnswers ? undefined : this.tickets.held()) ?? (await this.tickets.current());
    if (ticket !== undefined) return ticket;
    return this.tickets.waitForTicket({ signal, timeoutMs: flight.blocking ? TICKET_WAIT_MS : 0 });
  }
}
