/**
 * What the `cache` option takes: a `Cache` of cache-manager 5 or later, a `Keyv`, or an object of your own. Values are
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
  /** Stores `value` for `ttlMs` milliseconds; for ever without. What it returns is not read. */
  set(key: string, value: unknown, ttlMs?: number): unknown;
  /** Removes what is under `key`. Without it, a value without a secret takes the place of a removed one. */
  del?(key: string): unknown;
}
