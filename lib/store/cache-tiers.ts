import { ClientWatch, type WatchedClient } from './client-watch.js';
import { type TokenCache } from './token-cache.js';

/** The part of a Keyv that is used beyond {@link TokenCache}. */
interface KeyvLike extends TokenCache {
  delete?(key: string): unknown;
  /** The adapter, or a Map. */
  readonly store?: unknown;
}

/**
 * The tier of `cache` that processes share. A cache-manager cache of several stores answers from the first that has the
 * key, so a memory tier would hide what other processes changed. The shared tier is the last that is not in memory.
 */
export function sharedTierOf(cache: TokenCache): TokenCache {
  const stores = storesOf(cache);
  if (stores.length < 2) return cache;
  const shared = stores.findLast((store) => !isInMemory(store)) ?? stores.at(-1);
  return shared ? asCache(shared) : cache;
}

/** The Keyvs of a cache-manager cache; a cache that is a Keyv itself. They report faults by an `error` event. */
export function storesOf(cache: TokenCache): KeyvLike[] {
  const { stores } = cache as { stores?: unknown };
  if (!Array.isArray(stores)) return [cache];
  return stores.filter((store: unknown): store is KeyvLike => typeof store === 'object' && store !== null);
}

/** Whether the application closed the Redis client of a store. Keyv would connect it again. */
export function isClosedByApplication(store: KeyvLike): boolean {
  const client = (store.store as { client?: unknown } | undefined)?.client;
  return isWatchable(client) && ClientWatch.of(client).isClosed();
}

function asCache(keyv: KeyvLike): TokenCache {
  return {
    get: (key) => keyv.get(key),
    set: (key, value, ttlMs) => keyv.set(key, value, ttlMs),
    ...(keyv.delete && { del: (key: string) => keyv.delete?.(key) }),
  };
}

function isInMemory({ store }: KeyvLike): boolean {
  if (store instanceof Map) return true;
  const name = (store as object | undefined)?.constructor.name ?? '';
  return /memory|lru/i.test(name);
}

function isWatchable(client: unknown): client is WatchedClient {
  if (typeof client !== 'object' || client === null) return false;
  const { isOpen, on } = client as Partial<WatchedClient>;
  return typeof isOpen === 'boolean' && typeof on === 'function';
}
