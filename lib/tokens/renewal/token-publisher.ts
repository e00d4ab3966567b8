import { type RefreshLease } from '../../lock/refresh-lock.js';
import { type RecordStore } from '../../store/record-store.js';
import { UNAVAILABLE } from '../../store/shared-store.js';
import { type Clock } from '../../time/clock.js';
import { type HeldToken } from '../slot/held-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { fingerprintOf } from '../slot/value-fingerprint.js';

/** The store keeps a record longer than its token lives: a host with a fast clock must not delete a live one. */
const RECORD_MARGIN_MS = 10 * 60_000;
const WRITE_RETRY_MS = 5_000;
/** How long a removed record stays in the store, without a token. */
const REMOVED_FOR_MS = 60_000;

/** Writes tokens to the shared store and removes rejected ones. Changes of one record follow each other. */
export class TokenPublisher {
  private readonly lastChange = new WeakMap<TokenSlot, Promise<unknown>>();

  constructor(
    private readonly records: RecordStore,
    private readonly clock: Clock,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * Stores the slot's `token`, obtained under `generation`. If the store does not accept it, one more attempt follows.
   *
   * @param lease the lock under which the token was obtained; after its end, another process may have stored a token
   */
  async publish(slot: TokenSlot, generation: number, token: HeldToken, lease?: RefreshLease): Promise<void> {
    const isStored = await this.inTurn(slot, () => this.tryPublish(slot, generation, token, lease));
    if (!isStored) this.publishLater(slot, generation, token).catch(() => undefined);
  }

  /** Stores what the store did not accept before. It stops at the first token that the store does not accept now. */
  async shareAgain(slots: Iterable<TokenSlot>): Promise<void> {
    for (const slot of slots) {
      if (slot.unshared === undefined) continue;
      const [token, generation] = [slot.usable(), slot.generation];
      if (token?.value !== slot.unshared) continue;
      if (!(await this.inTurn(slot, () => this.tryPublish(slot, generation, token)))) return;
      slot.markShared();
    }
  }

  /** Removes `value` from the store, if the store holds exactly this value. */
  withdraw(slot: TokenSlot, value: string): Promise<void> {
    return this.inTurn(slot, () => this.tryWithdraw(slot, value));
  }

  /** Removes the slot's record from the store. */
  async clear(slot: TokenSlot): Promise<void> {
    await this.inTurn(slot, () => this.clearKey(slot.key));
  }

  /** Removes the record of a slot that this process does not have. */
  async clearKey(key: string): Promise<void> {
    await this.records.clear(key, this.clock.now(), REMOVED_FOR_MS);
  }

  /** A change reads, compares and writes. No other change of the same record may come between these steps. */
  private inTurn<T>(slot: TokenSlot, change: () => Promise<T>): Promise<T> {
    const turn = (this.lastChange.get(slot) ?? Promise.resolve()).then(change);
    const over: Promise<unknown> = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.lastChange.get(slot) === over) this.lastChange.delete(slot);
      });
    this.lastChange.set(slot, over);
    return turn;
  }

  private async tryWithdraw(slot: TokenSlot, value: string): Promise<void> {
    const stored = await this.records.read(slot.key);
    if (typeof stored === 'object' && stored.secret === value) {
      await this.records.remove(slot.key, this.clock.now(), REMOVED_FOR_MS);
    }
  }

  /** @returns false when the store did not accept the token */
  private async tryPublish(
    slot: TokenSlot,
    generation: number,
    token: HeldToken,
    lease?: RefreshLease,
  ): Promise<boolean> {
    const wasHeld = lease?.isHeld() === true;
    let stored = await this.records.read(slot.key);
    // If the lease ended during the read, the answer may be older than the next holder's token.
    if (wasHeld && !lease.isHeld()) stored = await this.records.read(slot.key);
    // Lease expired and store unreadable: do not overwrite.
    if (stored === UNAVAILABLE && lease?.isHeld() === false) return false;
    if (stored === 'newer' || slot.generation !== generation) return true;
    if (typeof stored === 'object' && this.isBetter(slot, stored.secret, stored.expiresAt, token))
      return true;
    const { value: secret, expiresAt, lifeMs, obtainedAt } = token;
    const ttlMs = expiresAt - this.clock.now() + RECORD_MARGIN_MS;
    const written = await this.records.write(slot.key, { secret, expiresAt, lifeMs, obtainedAt }, ttlMs);
    return written !== UNAVAILABLE;
  }

  private async publishLater(slot: TokenSlot, generation: number, token: HeldToken): Promise<void> {
    await this.clock.sleep(WRITE_RETRY_MS, this.closing);
    const isCurrent = slot.generation === generation && slot.kept?.value === token.value;
    if (!isCurrent || this.closing.aborted) return;
    const isStored = await this.inTurn(slot, () => this.tryPublish(slot, generation, token));
    if (!isStored) slot.markUnshared(token.value);
  }

  /** Whether the stored token ends later and was not rejected. */
  private isBetter(slot: TokenSlot, secret: string, expiresAt = -Infinity, token: HeldToken): boolean {
    const fingerprint = fingerprintOf(secret);
    const endsAt = Math.min(expiresAt, slot.knownEnd(fingerprint));
    return endsAt >= token.expiresAt && !slot.isRejected(fingerprint);
  }
}
