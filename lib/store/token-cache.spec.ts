import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { TestClock } from '../testing/test-clock.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';
import { type TokenCache } from './token-cache.js';

/** As the adapters of Keyv do, it answers from a map, and fails when told to. */
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

/** An object of one's own, synchronous, without `del`. */
function plainCache(entries = new Map<string, unknown>()): TokenCache {
  return { get: (key) => entries.get(key), set: (key, value) => void entries.set(key, value) };
}

describe('a cache that fits the option', () => {
  const clock = new TestClock();
  const storeOn = (cache: TokenCache): SharedStore => new SharedStore(cache, clock, 250);

  // That these compile is half of the proof.
  it.each<[string, () => TokenCache]>([
    ['a Cache of cache-manager', () => createCache({ stores: [new Keyv()] })],
    ['a Keyv', () => new Keyv()],
    ['an object of one’s own', () => plainCache()],
  ])('%s stores, gives back and removes', async (_name, make) => {
    const store = storeOn(make());
    await store.write('key', { token: 'a' }, 60_000);
    expect(await store.read('key')).toEqual({ token: 'a' });
    expect(await store.read('other')).toBeUndefined();
    await store.remove('key', { removed: true }, 60_000);
    expect(await store.read('key')).not.toEqual({ token: 'a' });
  });

  it('is asked to delete where it can, and is given a value instead where it cannot', async () => {
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

  it('is unavailable while a Keyv behind it fails, although Keyv itself answers as if nothing were there', async () => {
    const adapter = new Adapter();
    const store = storeOn(new Keyv({ store: adapter }));
    adapter.isDown = true;
    expect(await store.read('key')).toBe(UNAVAILABLE);
    expect(await store.write('key', { token: 'a' }, 60_000)).toBe(UNAVAILABLE);
    expect(store.errors).toBeGreaterThanOrEqual(2);
  });
});
