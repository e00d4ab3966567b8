import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { TestClock } from '../testing/test-clock.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';
import { type TokenCache } from './token-cache.js';

/** An adapter for Keyv that answers from a map, and fails when the test says so. */
class Adapter {
  readonly opts = {};
  isDown = false;
  readonly entries = new Map<string, unknown>();
  private onError: (error: Error) => void = () => undefined;

  get(key: string): Promise<unknown> {
    return this.attempt(() => this.entries.get(key));
  }
  set(key: string, value: unknown): Promise<unknown> {
    return this.attempt(() => this.entries.set(key, value));
  }
  delete(key: string): Promise<boolean> {
    return this.attempt(() => this.entries.delete(key));
  }
  clear(): Promise<void> {
    return Promise.resolve(this.entries.clear());
  }
  on(_event: string, listener: (error: Error) => void): this {
    this.onError = listener;
    return this;
  }

  private attempt<T>(operation: () => T): Promise<T> {
    if (!this.isDown) return Promise.resolve(operation());
    const error = new Error('connect ECONNREFUSED');
    this.onError(error);
    return Promise.reject(error);
  }
}

/** A synchronous cache of an application, without `del`. */
function plainCache(entries = new Map<string, unknown>()): TokenCache {
  return { get: (key) => entries.get(key), set: (key, value) => void entries.set(key, value) };
}

describe('the cache option', () => {
  const clock = new TestClock();
  const storeOn = (cache: TokenCache): SharedStore => new SharedStore({ cache, clock, timeoutMs: 250 });

  // The compiler checks that each of them fits the type.
  it.each<[string, () => TokenCache]>([
    ['a Cache of cache-manager', () => createCache({ stores: [new Keyv()] })],
    ['a Keyv', () => new Keyv()],
    ['an object of the application', () => plainCache()],
  ])('accepts %s, which stores, returns and removes', async (_name, make) => {
    const store = storeOn(make());
    await store.write('key', { token: 'a' }, 60_000);
    expect(await store.read('key')).toEqual({ token: 'a' });
    expect(await store.read('other')).toBeUndefined();
    await store.remove('key', { removed: true }, 60_000);
    expect(await store.read('key')).not.toEqual({ token: 'a' });
  });

  it('deletes an entry, or overwrites it if the cache has no del', async () => {
    const adapter = new Adapter();
    const managed = storeOn(createCache({ stores: [new Keyv({ store: adapter, useKeyPrefix: false })] }));
    await managed.write('key', { token: 'a' }, 60_000);
    expect(adapter.entries.size).toBe(1);
    await managed.remove('key', { removed: true }, 60_000);
    expect(adapter.entries.size).toBe(0);

    const entries = new Map<string, unknown>();
    await storeOn(plainCache(entries)).remove('key', { removed: true }, 60_000);
    expect(entries.get('key')).toEqual({ removed: true });
  });

  it('is unavailable while its Keyv fails, although that Keyv answers as if it were empty', async () => {
    const adapter = new Adapter();
    const store = storeOn(new Keyv({ store: adapter }));
    adapter.isDown = true;
    expect(await store.read('key')).toBe(UNAVAILABLE);
    expect(await store.write('key', { token: 'a' }, 60_000)).toBe(UNAVAILABLE);
    expect(store.errors).toBeGreaterThanOrEqual(2);
  });
});
