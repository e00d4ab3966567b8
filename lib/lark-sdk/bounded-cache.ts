import type * as lark from '@larksuiteoapi/node-sdk';
import { LRUCache } from 'lru-cache';
import { type Clock } from '../time/clock.js';

/** Of each sort: entries that expire, and entries that do not. */
const MAX_ENTRIES = 10_000;

type CacheKey = Parameters<lark.Cache['get']>[0] | symbol;

interface Entry {
  readonly value: unknown;
  /** Epoch milliseconds; `Infinity` for ever. */
  readonly expiresAt: number;
}

/**
 * A `lark.Cache` in memory that does not grow without end, as the SDK's own does. What expires (marks of messages that
 * were seen) and what does not (user tokens) have a bound each: many messages must not push a login out.
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

  /** @param expiresAt epoch milliseconds; `undefined` or `Infinity` for ever */
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

/** Symbols of one description are one key, as in the SDK's own cache: a second copy of the SDK has others. */
function nameOf(key: CacheKey, namespace: string | undefined): string {
  return JSON.stringify([namespace ?? null, typeof key === 'string' ? 'text' : 'symbol', key.toString()]);
}
