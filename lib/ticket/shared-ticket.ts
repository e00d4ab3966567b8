import { type RecordStore, type StoredRead, type StoredSecret } from '../store/record-store.js';
import { UNAVAILABLE } from '../store/shared-store.js';

/** Explicit, or the default of the application's cache would apply. Feishu refuses a ticket that is too old. */
const TICKET_TTL_MS = 30 * 24 * 60 * 60_000;

/** The newest ticket that this process knows, and its record in the shared store. */
export class SharedTicket {
  readonly #records: RecordStore;
  readonly #key: string;
  #held: StoredSecret | undefined;
  /** The ticket that Feishu refused last: the store may still hold it. */
  #refused: string | undefined;
  /** What the store does not hold although it should. */
  #unshared: StoredSecret | undefined;
  #lastShare: Promise<void> = Promise.resolve();

  constructor(records: RecordStore, key: string) {
    this.#records = records;
    this.#key = key;
  }

  get held(): StoredSecret | undefined {
    return this.#held;
  }

  /** @param sentAt when Feishu sent the ticket, in epoch milliseconds */
  take(secret: string, sentAt: number): void {
    if (secret === this.#refused) this.#refused = undefined;
    this.#held = { secret, obtainedAt: sentAt };
  }

  /** Drops `secret` if it is the held ticket. */
  refuse(secret: string): void {
    if (this.#held?.secret !== secret) return;
    this.#refused = secret;
    this.#held = undefined;
  }

  /** Takes over the ticket of the store if it is newer. */
  async lookUp(): Promise<void> {
    const stored = await this.#records.read(this.#key);
    if (this.#isNewer(stored)) this.#held = stored;
    else if (stored !== UNAVAILABLE) void this.shareAgain();
  }

  /**
   * Stores the held ticket unless the store has a newer one, which is then taken over. One change at a time: a slow
   * store must not end with the older of two tickets. Never rejects.
   */
  share(): Promise<void> {
    this.#lastShare = this.#lastShare.then(() => this.#shareHeld());
    return this.#lastShare;
  }

  /** Stores the held ticket if the store did not take it before. Never rejects. */
  async shareAgain(): Promise<void> {
    if (this.#unshared !== undefined && this.#unshared === this.#held) await this.share();
  }

  async #shareHeld(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const stored = await this.#records.read(this.#key);
    // A ticket that was taken over since then has its own turn.
    if (this.#held !== held) return;
    if (stored === 'newer') return;
    if (this.#isNewer(stored)) {
      this.#held = stored;
      return;
    }
    // A store that cannot be read is not written: it may hold a newer ticket.
    const isStored =
      stored !== UNAVAILABLE && (await this.#records.write(this.#key, held, TICKET_TTL_MS)) !== UNAVAILABLE;
    this.#unshared = isStored ? undefined : held;
  }

  #isNewer(stored: StoredRead): stored is StoredSecret {
    if (typeof stored !== 'object' || stored.secret === this.#refused) return false;
    return stored.obtainedAt > (this.#held?.obtainedAt ?? -Infinity);
  }
}
