import { type TokenSlot } from './token-slot.js';

/** Evicting in batches keeps the search for the oldest off the path of most insertions. */
const BATCH = 1 / 16;
/** While most slots cannot be let go, that search is not made again at every insertion. */
const SEARCH_AGAIN_MS = 100;

/** The slots of one process, at most `maxTokens`: the least recently read go first. */
export class SlotTable {
  private app: TokenSlot | undefined;
  /** By tenant key; a self-built app's one tenant is under ''. */
  private readonly tenants = new Map<string, TokenSlot>();
  /** The last search that could not free enough. */
  private vainSearch = { at: -Infinity, size: 0 };

  constructor(private readonly maxTokens: number) {}

  get size(): number {
    return this.tenants.size + (this.app ? 1 : 0);
  }

  find(kind: 'app' | 'tenant', tenantKey: string | undefined): TokenSlot | undefined {
    return kind === 'app' ? this.app : this.tenants.get(tenantKey ?? '');
  }

  add(slot: TokenSlot): void {
    if (slot.query.kind === 'app') this.app = slot;
    else this.tenants.set(slot.query.tenantKey ?? '', slot);
    if (this.size > this.maxTokens && this.isWorthSearching(slot)) this.evict(slot);
  }

  remove(slot: TokenSlot): void {
    const { kind, tenantKey } = slot.query;
    if (this.find(kind, tenantKey) !== slot) return;
    if (kind === 'app') this.app = undefined;
    else this.tenants.delete(tenantKey ?? '');
    slot.detached = true;
    slot.drop();
  }

  *[Symbol.iterator](): IterableIterator<TokenSlot> {
    if (this.app) yield this.app;
    yield* this.tenants.values();
  }

  private isWorthSearching(newcomer: TokenSlot): boolean {
    const { at, size } = this.vainSearch;
    return newcomer.readAt - at >= SEARCH_AGAIN_MS || this.size >= 2 * size;
  }

  private evict(newcomer: TokenSlot): void {
    const surplus = this.size - this.maxTokens + Math.floor(this.maxTokens * BATCH);
    const tenants = [...this.tenants.values()].filter((slot) => slot !== newcomer && !slot.flight);
    const free = tenants.filter((slot) => !slot.isPinned());
    // What is remembered about failures is bounded too, or made-up tenant keys would fill the memory.
    const candidates = this.size > 2 * this.maxTokens ? tenants : free;
    candidates.sort((a, b) => a.readAt - b.readAt);
    for (const slot of candidates.slice(0, surplus)) this.remove(slot);
    const isVain = this.size > this.maxTokens;
    this.vainSearch = isVain ? { at: newcomer.readAt, size: this.size } : { at: -Infinity, size: 0 };
  }
}
