import { type TokenHandle, type TokenRequestOptions } from '../access-token.js';
import { type HeldToken } from './held-token.js';
import { type SlotTable } from './slot-table.js';
import { type TokenSlot } from './token-slot.js';

/** Answers a handle when the hot path cannot. */
interface SlowPath {
  peek(slot: TokenSlot): HeldToken | undefined;
  get(slot: TokenSlot, options?: TokenRequestOptions): Promise<{ token: HeldToken }>;
}

/** Keeps the slot of one query. When the table removed the slot, it finds the successor. */
export class SlotHandle implements TokenHandle {
  #slot: TokenSlot;
  readonly #slots: SlotTable;
  readonly #reader: SlowPath;

  constructor(slot: TokenSlot, slots: SlotTable, reader: SlowPath) {
    this.#slot = slot;
    this.#slots = slots;
    this.#reader = reader;
  }

  peek(): string | undefined {
    const fresh = this.#slot.readFresh();
    return fresh === undefined ? this.#reader.peek(this.#current())?.value : fresh.value;
  }

  get(options?: TokenRequestOptions): Promise<string> {
    if (options === undefined) {
      const held = this.#slot.readFresh() ?? this.#reader.peek(this.#current());
      if (held !== undefined) return held.promise;
    }
    return this.#getSlowly(options);
  }

  async #getSlowly(options: TokenRequestOptions | undefined): Promise<string> {
    const { token } = await this.#reader.get(this.#current(), options);
    return token.value;
  }

  #current(): TokenSlot {
    if (this.#slot.detached) this.#slot = this.#slots.successorOf(this.#slot);
    return this.#slot;
  }
}
