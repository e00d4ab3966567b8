import { createCache, type Cache } from 'cache-manager';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import { LRUCache } from 'lru-cache';
import { type Clock } from '../time/clock.js';

/** Expired entries that nobody asks for again are swept out this often, by the writes that come along. */
const PURGE_EVERY_MS = 60_000;

/** lru-cache as a Keyv store: bounded, and dropping what has expired, which Keyv's own Map does neither. */
class LruKeyvStore implements Pick<KeyvStoreAdapter, 'get' | 'set' | 'delete' | 'clear' | 'on' | 'opts'> {
  readonly opts = {};
  private readonly entries: LRUCache<string, object>;
  private lastPurgeAt: number;

  constructor(
    max: number,
    private readonly clock: Clock,
  ) {
    // Without ttlResolution it would ask the clock once per real millisecond only.
    this.entries = new LRUCache({ max, perf: { now: () => clock.monotonic() }, ttlResolution: 0 });
    this.lastPurgeAt = clock.monotonic();
  }

  get size(): number {
    return this.entries.size;
  }

  get<Value>(key: string): Promise<Value | undefined> {
    const value = this.entries.get(key);
    return Promise.resolve(value === undefined ? undefined : ({ value } as Value));
  }

  /** Of Keyv's `{ value, expires }` only the value is kept: the entry's own ttl says the rest in a ninth of the memory. */
  set(key: string, { value }: { value: object }, ttlMs?: number): void {
    this.purge();
    this.entries.set(key, value, ttlMs === undefined ? {} : { ttl: Math.max(1, Math.ceil(ttlMs)) });
  }

  delete(key: string): Promise<boolean> {
    return Promise.resolve(this.entries.delete(key));
  }

  clear(): Promise<void> {
    this.entries.clear();
    return Promise.resolve();
  }

  on(): this {
    return this; // a Map in memory has no faults to report
  }

  private purge(): void {
    const now = this.clock.monotonic();
    if (now - this.lastPurgeAt < PURGE_EVERY_MS) return;
    this.lastPurgeAt = now;
    this.entries.purgeStale();
  }
}

/**
 * The default store: in memory, at most `maxEntries`, without serialisation.
 *
 * @internal
 */
export function createMemoryCache(maxEntries: number, clock: Clock): Cache {
  const keyv = new Keyv({ store: new LruKeyvStore(maxEntries, clock), useKeyPrefix: false });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return createCache({ stores: [keyv] });
}
