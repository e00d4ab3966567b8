import { EventEmitter } from 'node:events';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { TestClock } from '../testing/test-clock.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';

/** What several processes share: an adapter that is not a Map in memory. */
class SharedAdapter extends EventEmitter {
  readonly opts = {};
  readonly entries = new Map<string, unknown>();
  isDown = false;
  client: { isOpen: boolean; on: () => unknown } | undefined;

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

  private async attempt<T>(operation: () => T): Promise<T> {
    if (!this.isDown) return operation();
    const error = new Error('connect ECONNREFUSED');
    this.emit('error', error);
    throw error;
  }
}

describe('a cache of several tiers', () => {
  const clock = new TestClock();
  const open = (...stores: Keyv[]): SharedStore =>
    new SharedStore({ cache: createCache({ stores }), clock, timeoutMs: 250 });
  const shared = (adapter: SharedAdapter): Keyv => new Keyv({ store: adapter, useKeyPrefix: false });

  it.each<[string, (keyv: Keyv) => Keyv[]]>([
    ['memory first, as the caching page of Nest shows', (keyv) => [new Keyv(), keyv]],
    ['memory last', (keyv) => [keyv, new Keyv()]],
  ])('A8 shows each process what another one changed: %s', async (_, tiers) => {
    const adapter = new SharedAdapter();
    const [one, other] = [open(...tiers(shared(adapter))), open(...tiers(shared(adapter)))];
    await one.write('ticket', { secret: 'older' }, 60_000);
    expect(await other.read('ticket')).toEqual({ secret: 'older' });
    await one.write('ticket', { secret: 'newer' }, 60_000);
    expect(await other.read('ticket')).toEqual({ secret: 'newer' });
    await one.remove('ticket', {}, 60_000);
    expect(await other.read('ticket')).toBeUndefined();
  });

  it('A8 is unavailable while its shared tier fails', async () => {
    const adapter = new SharedAdapter();
    const store = open(new Keyv(), shared(adapter));
    await store.write('key', { a: 1 }, 60_000);
    adapter.isDown = true;
    expect(await store.read('key')).toBe(UNAVAILABLE);
    expect(await store.write('key', { a: 2 }, 60_000)).toBe(UNAVAILABLE);
    expect(store.errors).toBe(2);
  });

  it('uses the last tier if all are in memory', async () => {
    const [first, last] = [new Keyv(), new Keyv()];
    await open(first, last).write('key', { a: 1 }, 60_000);
    expect(await last.get('key')).toEqual({ a: 1 });
    expect(await first.get('key')).toBeUndefined();
  });

  it('E3 sends nothing to a Redis client that the application closed', async () => {
    const adapter = new SharedAdapter();
    adapter.client = { isOpen: true, on: () => undefined };
    const store = open(shared(adapter));
    await store.write('key', { a: 1 }, 60_000);
    adapter.client.isOpen = false;
    expect(await store.write('key', { a: 2 }, 60_000)).toBe(UNAVAILABLE);
    expect(await store.read('key')).toBe(UNAVAILABLE);
    expect([...adapter.entries.values()].join()).not.toContain('"a":2');
  });
});
