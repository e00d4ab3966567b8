import { LRUCache } from 'lru-cache';
import { type Clock } from '../time/clock.js';
import { type TokenCache } from './token-cache.js';

/** Writes remove expired entries this often; an entry that is not read again would stay otherwise. */
const PURGE_EVERY_MS = 60_000;

/**
 * The default cache: in memory, at most `maxEntries`, without serialisation.
 *
 * @internal
 */
export class MemoryCache implements TokenCache {
  private readonly entries: LRUCache<string, object>;
  private lastPurgeAt: number;

  constructor(
    maxEntries: number,
    private readonly clock: Clock,
  ) {
    // Without ttlResolution it would ask the clock once per real millisecond only.
    this.entries = new LRUCache({
      max: maxEntries,
      perf: { now: () => clock.monotonic() },
      ttlResolution: 0,
    });
    this.lastPurgeAt = clock.monotonic();
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): object | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: object, ttlMs?: number): void {
    this.purge();
    this.entries.set(key, value, ttlMs === undefined ? {} : { ttl: Math.max(1, Math.ceil(ttlMs)) });
  }

  del(key: string): void {
    this.entries.delete(key);
  }

  private purge(): void {
    const now = this.clock.monotonic();
    if (now - this.lastPurgeAt < PURGE_EVERY_MS) return;
    this.lastPurgeAt = now;
    this.entries.purgeStale();
  }
}
