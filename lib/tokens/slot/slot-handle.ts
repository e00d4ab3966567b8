import { type TokenHandle, type TokenRequestOptions } from '../access-token.js';
import { type HeldToken } from './held-token.js';
import { type TokenSlot } from './token-slot.js';

/** Where a handle turns when the hot path has no answer. */
interface SlowPath {
  peek(slot: TokenSlot): HeldToken | undefined;
  get(slot: TokenSlot, options?: TokenRequestOptions): Promise<{ token: HeldToken }>;
  /** The slot's successor if it was let go of. */
  current(slot: TokenSlot): TokenSlot;
}

/** Resolves the slot once; finds its successor by itself. */
export class SlotHandle implements TokenHandle {
  constructor(
    private slot: TokenSlot,
    private readonly reader: SlowPath,
  ) {}

  peek(): string | undefined {
    const fresh = this.slot.readFresh();
    return fresh === undefined ? this.reader.peek(this.resolve())?.value : fresh.value;
  }

  get(options?: TokenRequestOptions): Promise<string> {
    if (options === undefined) {
      const held = this.slot.readFresh() ?? this.reader.peek(this.resolve());
      if (held !== undefined) return held.promise;
    }
    return this.getSlowly(options);
  }

  private async getSlowly(options: TokenRequestOptions | undefined): Promise<string> {
    const { token } = await this.reader.get(this.resolve(), options);
    return token.value;
  }

  private resolve(): TokenSlot {
    if (this.slot.detached) this.slot = this.reader.current(this.slot);
    return this.slot;
  }
}
