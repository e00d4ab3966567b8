import type * as lark from '@larksuiteoapi/node-sdk';
import { LRUCache } from 'lru-cache';
import { type Clock } from '../time/clock.js';

/** The bound of each group: entries that expire, and entries that do not. */
const MAX_ENTRIES = 10_000;

type CacheKey = Parameters<lark.Cache['get']>[0] | symbol;

interface Entry {
  readonly value: unknown;
  /** Epoch milliseconds; `Infinity` if the entry does not expire. */
  readonly expiresAt: number;
}

/**
 * A bounded `lark.Cache` in memory; the SDK's cache grows without bound. Entries that expire (marks of seen messages) and
 * entries that do not (user tokens) have separate bounds, so that many messages do not evict a login.
 */
export class BoundedCache implements lark.Cache {
  private readonly lasting: LRUCache<string, Entry>;
  private readonly passing: LRUCache<string, Entry>;

  constructor(
    private readonly clock: Clock,
    maxEntries = MAX_ENTRIES,
  ) {
    this.lasting = new LRUCache({ max: maxEntries });
    this.passing = new LRUCache({ max: maxEntries });
  }

  get(key: CacheKey, options?: { namespace?: string }): Promise<unknown> {
    const name = nameOf(key, options?.namespace);
    const entry = this.lasting.get(name) ?? this.passing.get(name);
    if (entry && entry.expiresAt <= this.clock.now()) {
      this.passing.delete(name);
      return Promise.resolve(undefined);
    }
    return Promise.resolve(entry?.value);
  }

  /** @param expiresAt epoch milliseconds; `undefined` or `Infinity` if the entry does not expire */
  set(
    key: CacheKey,
    value: unknown,
    expiresAt = Infinity,
    options?: { namespace?: string },
  ): Promise<boolean> {
    const name = nameOf(key, options?.namespace);
    this.lasting.delete(name);
    this.passing.delete(name);
    if (expiresAt === Infinity) this.lasting.set(name, { value, expiresAt });
    else if (expiresAt > this.clock.now()) this.passing.set(name, { value, expiresAt });
    return Promise.resolve(true);
  }
}

/** Symbols with the same description are the same key, as in the SDK's cache: a second copy of the SDK has other symbols. */
function nameOf(key: CacheKey, namespace: string | undefined): string {
  return JSON.stringify([namespace ?? null, typeof key === 'string' ? 'text' : 'symbol', key.toString()]);
}
