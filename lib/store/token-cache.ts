/**
 * What the `cache` option takes: a `Cache` of cache-manager 5 or later, a `Keyv`, or an object of the application. Values are
 * plain objects that survive JSON, times are in milliseconds, and each method may be synchronous.
 *
 * A cache that cannot answer should reject, or emit `error` as Keyv and the stores of cache-manager do: the module then
 * works without it until it answers again.
 *
 * @publicApi
 */
export interface TokenCache {
  /** What `set` stored under `key`; `undefined` or `null` for nothing. */
  get(key: string): unknown;
  /** Stores `value` for `ttlMs` milliseconds; without a limit if it is absent. The result is not read. */
  set(key: string, value: unknown, ttlMs?: number): unknown;
  /** Removes the value under `key`. Optional: without it, a value without a secret replaces the removed one. */
  del?(key: string): unknown;
}
