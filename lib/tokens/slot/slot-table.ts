import { type TokenKind } from '../access-token.js';
import { forEachKind, KIND_NAMES } from '../token-kinds.js';
import { type ResolvedQuery } from '../token-query.js';
import { type SlotState, type SlotStates } from './slot-state.js';
import { type TokenSlot } from './token-slot.js';

/** Evicting in batches keeps the search for the oldest slots off the path of most insertions. */
const BATCH = 1 / 16;
/** While most slots cannot be removed, the search is not repeated at every insertion. */
const SEARCH_AGAIN_MS = 100;

/** The slots of one process, at most `maxTokens`. The least recently read slots are removed first. */
export class SlotTable implements SlotStates {
  private readonly byKind: Record<TokenKind, Map<string, TokenSlot>> = forEachKind(() => new Map());
  private count = 0;
  private isClosed = false;
  /** The last search that could not remove enough. */
  private vainSearch = { at: -Infinity, size: 0 };

  constructor(
    private readonly maxTokens: number,
    private readonly makeSlot: (query: ResolvedQuery) => TokenSlot,
  ) {}

  get size(): number {
    return this.count;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** The slots of one kind by identity, for reads that look one up at every call. */
  ofKind(kind: TokenKind): ReadonlyMap<string, TokenSlot> {
    return this.byKind[kind];
  }

  find(kind: TokenKind, identity: string): TokenSlot | undefined {
    return this.byKind[kind].get(identity);
  }

  /** The slot of a query; a new one if there is none. */
  obtain(query: ResolvedQuery): TokenSlot {
    return this.find(query.kind, query.identity) ?? this.add(this.makeSlot(query));
  }

  /** The slot itself, or the one that took its place after it was removed. */
  successorOf(slot: TokenSlot): TokenSlot {
    return slot.detached ? this.obtain(slot) : slot;
  }

  remove(slot: TokenSlot): void {
    const { kind, identity } = slot;
    if (this.find(kind, identity) !== slot) return;
    this.byKind[kind].delete(identity);
    this.count--;
    slot.detach();
  }

  /** Removes every slot, and keeps none from now on. */
  close(): void {
    this.isClosed = true;
    for (const slot of [...this]) this.remove(slot);
  }

  *[Symbol.iterator](): IterableIterator<TokenSlot> {
    for (const kind of KIND_NAMES) yield* this.byKind[kind].values();
  }

  *states(): IterableIterator<SlotState> {
    for (const slot of this) yield slot.state();
  }

  private add(slot: TokenSlot): TokenSlot {
    if (this.isClosed) return slot;
    this.byKind[slot.kind].set(slot.identity, slot);
    this.count++;
    if (this.count > this.maxTokens && this.isWorthSearching(slot)) this.evict(slot);
    return slot;
  }

  private isWorthSearching(newcomer: TokenSlot): boolean {
    const { at, size } = this.vainSearch;
    return newcomer.readAt - at >= SEARCH_AGAIN_MS || this.count >= 2 * size;
  }

  private evict(newcomer: TokenSlot): void {
    const surplus = this.count - this.maxTokens + Math.floor(this.maxTokens * BATCH);
    const removable = [...this].filter((slot) => slot !== newcomer && !slot.isOwn && !slot.flight);
    const free = removable.filter((slot) => !slot.isPinned());
    // What slots remember is bounded too. Otherwise, invented tenant keys would fill the memory.
    const candidates = this.count > 2 * this.maxTokens ? removable : free;
    candidates.sort((a, b) => a.readAt - b.readAt);
    for (const slot of candidates.slice(0, surplus)) this.remove(slot);
    const isVain = this.count > this.maxTokens;
    this.vainSearch = isVain ? { at: newcomer.readAt, size: this.count } : { at: -Infinity, size: 0 };
  }
}
