import { randomText } from './random-text.js';

/**
 * An `app_ticket` that the platform pushes to a store app.
 *
 * @publicApi
 */
export interface EmulatedTicket {
  appId: string;
  appTicket: string;
}

/**
 * The `app_ticket` of every store app. The platform always has one; the application has it only once it was delivered.
 * Whether an older ticket still works is not documented; here only the newest one does, which is the harder case.
 *
 * @example
 * emulator.tickets.on(({ appTicket }) => void appTickets.set(appTicket));
 *
 * @publicApi
 */
export class EmulatorTickets {
  private readonly tickets = new Map<string, string>();
  private readonly listeners = new Set<(ticket: EmulatedTicket) => void>();

  /** @internal */
  create(appId: string): string {
    const appTicket = `g${randomText(32)}`;
    this.tickets.set(appId, appTicket);
    return appTicket;
  }

  /** @internal */
  deliver(appId: string): void {
    const appTicket = this.current(appId);
    if (appTicket === undefined) return;
    for (const listener of this.listeners) listener({ appId, appTicket });
  }

  /**
   * Calls `listener` for every ticket that the platform pushes, by {@link push} or because the application asked with
   * `app_ticket/resend`; in that case after the answer, as the real one does.
   *
   * @returns what takes the listener off again
   */
  on(listener: (ticket: EmulatedTicket) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** What the platform does every hour: a new ticket, pushed to the listeners. */
  push(appId: string): string {
    const appTicket = this.create(appId);
    this.deliver(appId);
    return appTicket;
  }

  /** The ticket that works now; `undefined` after {@link expire}, and for an app that is not a store app. */
  current(appId: string): string | undefined {
    return this.tickets.get(appId);
  }

  /** The ticket stops working, and there is none until the next {@link push} or `app_ticket/resend`. */
  expire(appId: string): void {
    this.tickets.delete(appId);
  }
}
