import { type RefreshLease } from '../../lock/refresh-lock.js';
import { type RecordStore } from '../../store/record-store.js';
import { UNAVAILABLE } from '../../store/shared-store.js';
import { type Clock } from '../../time/clock.js';
import { type HeldToken } from '../slot/held-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { fingerprintOf } from '../slot/value-fingerprint.js';

/** The store keeps a record this much longer than it lives: a host with a fast clock must not delete a live one. */
const RECORD_MARGIN_MS = 10 * 60_000;
const WRITE_RETRY_MS = 5_000;
const REMOVED_FOR_MS = 60_000;

/** Puts tokens into the shared store and takes rejected ones out: one change of a slot's record after the other. */
export class TokenPublisher {
  private readonly lastChange = new WeakMap<TokenSlot, Promise<unknown>>();

  constructor(
    private readonly records: RecordStore,
    private readonly clock: Clock,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * Stores the slot's `token`, obtained under `generation`; once more later if the store does not take it.
   *
   * @param lease the lock under which it was obtained: once that has run out, somebody else's token may be there
   */
  async publish(slot: TokenSlot, generation: number, token: HeldToken, lease?: RefreshLease): Promise<void> {
    const isStored = await this.inTurn(slot, () => this.tryPublish(slot, generation, token, lease));
    if (!isStored) this.publishLater(slot, generation, token).catch(() => undefined);
  }

  /** Stores what the store did not take before; ends with the first that it does not take now either. */
  async shareAgain(slots: Iterable<TokenSlot>): Promise<void> {
    for (const slot of slots) {
      if (slot.unshared === undefined) continue;
      const [token, generation] = [slot.usable(), slot.generation];
      if (token?.value !== slot.unshared) continue;
      if (!(await this.inTurn(slot, () => this.tryPublish(slot, generation, token)))) return;
      slot.unshared = undefined;
    }
  }

  /** Removes `value` from the store, if that is what the store holds. */
  withdraw(slot: TokenSlot, value: string): Promise<void> {
    return this.inTurn(slot, () => this.tryWithdraw(slot, value));
  }

  /** Removes whatever the store holds. */
  async clear(slot: TokenSlot): Promise<void> {
    await this.inTurn(slot, () => this.records.clear(slot.key, this.clock.now(), REMOVED_FOR_MS));
  }

  /** Reading, comparing and writing are three steps: two changes of one record must not be between each other's. */
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

  /** False when the store did not take it. */
  private async tryPublish(
    slot: TokenSlot,
    generation: number,
    token: HeldToken,
    lease?: RefreshLease,
  ): Promise<boolean> {
    const wasHeld = lease?.isHeld() === true;
    let stored = await this.records.read(slot.key);
    // A process that stood still meanwhile has an answer from before: somebody else's token may be there by now.
    if (wasHeld && !lease.isHeld()) stored = await this.records.read(slot.key);
    // Who comes late writes over nothing that it has not seen.
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
    if (!isStored) slot.unshared = token.value;
  }

  /** Whether the store holds a token that ends later, and none that was rejected. */
  private isBetter(slot: TokenSlot, secret: string, expiresAt = -Infinity, token: HeldToken): boolean {
    const fingerprint = fingerprintOf(secret);
    const endsAt = Math.min(expiresAt, slot.knownEnd(fingerprint));
    return endsAt >= token.expiresAt && !slot.isRejected(fingerprint);
  }
}
