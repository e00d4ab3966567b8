import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { EventEmitter } from 'node:events';
import { TestClock } from '../testing/test-clock.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';

const TIMEOUT_MS = 250;

/** A cache-manager cache over one store, each operation as the test wants it. */
class FakeCache {
  readonly stores = [new EventEmitter()];
  readonly entries = new Map<string, unknown>();
  readonly sets: { key: string; value: unknown; ttl: number | undefined }[] = [];
  calls = 0;
  /** What an operation does instead of working. */
  behaviour: (() => Promise<undefined>) | undefined;

  get = async <T>(key: string): Promise<T | undefined> => {
    this.calls++;
    if (this.behaviour) return this.behaviour();
    return this.entries.get(key) as T | undefined;
  };

  set = async <T>(key: string, value: T, ttl?: number): Promise<T> => {
    this.calls++;
    if (this.behaviour) await this.behaviour();
    this.sets.push({ key, value, ttl });
    this.entries.set(key, value);
    return value;
  };

  fault(): void {
    this.stores[0]?.emit('error', new Error('ECONNREFUSED'));
  }
}

const never = (): Promise<undefined> => new Promise(() => undefined);
const refuse = (): Promise<undefined> => Promise.reject(new Error('ECONNREFUSED'));

describe('SharedStore', () => {
  let clock: TestClock;
  let cache: FakeCache;
  let store: SharedStore;

  beforeEach(() => {
    clock = new TestClock();
    cache = new FakeCache();
    store = new SharedStore(cache, clock, TIMEOUT_MS);
  });

  const counts = () => {
    const { reads, writes, errors, timeouts } = store;
    return { reads, writes, errors, timeouts };
  };

  /** The answer of an operation of a store that never answers. */
  async function timedOut<T>(operation: Promise<T>): Promise<T> {
    await clock.advance(TIMEOUT_MS);
    return operation;
  }

  it('reads what was written, and nothing where nothing is', async () => {
    const record = { a: 1 };
    expect(await store.write('k', record, 5_000)).toBeUndefined();
    expect(cache.sets).toEqual([{ key: 'k', value: record, ttl: 5_000 }]);
    expect(await store.read('k')).toBe(record);
    expect(await store.read('other')).toBeUndefined();
    cache.entries.set('null', null);
    expect(await store.read('null')).toBeUndefined();
    expect(counts()).toEqual({ reads: 3, writes: 1, errors: 0, timeouts: 0 });
  });

  it('keeps for ever what has no end', async () => {
    await store.write('k', {});
    expect(cache.sets[0]?.ttl).toBeUndefined();
  });

  it('gives up at the deadline, and not before', async () => {
    cache.behaviour = never;
    let answer: unknown = 'none yet';
    void store.read('k').then((it) => (answer = it));
    await clock.advance(TIMEOUT_MS - 1);
    expect(answer).toBe('none yet');
    await clock.advance(1);
    expect(answer).toBe(UNAVAILABLE);
    expect(await timedOut(store.write('k', {}))).toBe(UNAVAILABLE);
    expect(counts()).toEqual({ reads: 1, writes: 1, errors: 0, timeouts: 2 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ignores an answer, or an error, that comes after the deadline', async () => {
    let reject!: (error: Error) => void;
    cache.behaviour = () => new Promise((_, fail) => (reject = fail));
    expect(await timedOut(store.read('k'))).toBe(UNAVAILABLE);
    reject(new Error('late'));
    await TestClock.settle();
    expect(counts()).toMatchObject({ errors: 0, timeouts: 1 });
  });

  it.each([
    ['rejects', refuse],
    ['rejects with nothing', () => Promise.reject(undefined)],
    [
      'throws at once',
      () => {
        throw new Error('synchronous');
      },
    ],
  ])('answers UNAVAILABLE, counted once, when the cache %s', async (_, behaviour) => {
    cache.behaviour = behaviour as () => Promise<undefined>;
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(counts()).toMatchObject({ errors: 1, timeouts: 0 });
    expect(await store.write('k', {})).toBe(UNAVAILABLE);
    expect(counts()).toMatchObject({ errors: 2, timeouts: 0 });
  });

  it('hears the faults that cache-manager hides as a miss, or as done', async () => {
    cache.behaviour = async () => {
      cache.fault();
      return undefined;
    };
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(await store.write('k', {})).toBe(UNAVAILABLE);
    expect(counts()).toEqual({ reads: 1, writes: 1, errors: 2, timeouts: 0 });
  });

  it('counts a fault once that is heard and thrown as well', async () => {
    cache.behaviour = () => {
      cache.fault();
      return refuse();
    };
    await store.read('k');
    expect(store.errors).toBe(1);
  });

  it('believes a value that it was given in spite of a fault', async () => {
    cache.entries.set('k', 'value');
    const reading = store.read('k');
    cache.fault();
    expect(await reading).toBe('value');
  });

  it('opens its breaker after three failures: nothing is sent for 5 s, then one probe', async () => {
    cache.behaviour = refuse;
    for (let i = 0; i < 3; i++) await store.read('k');
    expect(store.breaker).toBe('open');
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(await store.write('k', {})).toBe(UNAVAILABLE);
    expect(cache.calls).toBe(3);
    expect(counts()).toEqual({ reads: 3, writes: 0, errors: 3, timeouts: 0 });

    await clock.advance(5_000);
    expect(store.breaker).toBe('half-open');
    cache.behaviour = never;
    const probe = store.read('k');
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(cache.calls).toBe(4);
    expect(await timedOut(probe)).toBe(UNAVAILABLE);
    expect(store.breaker).toBe('open');

    cache.behaviour = undefined;
    cache.entries.set('k', 'value');
    await clock.advance(5_000);
    expect(await store.read('k')).toBe('value');
    expect(store.breaker).toBe('closed');
  });

  it.each([
    ['times out', never],
    [
      'reports a fault',
      async () => {
        cache.fault();
        return undefined;
      },
    ],
  ])('opens its breaker as well for a store that %s', async (_, behaviour) => {
    cache.behaviour = behaviour;
    for (let i = 0; i < 3; i++) await timedOut(store.read('k'));
    expect(store.breaker).toBe('open');
  });

  it('takes a miss for an answer', async () => {
    for (let i = 0; i < 5; i++) await store.read('nothing');
    expect(store.breaker).toBe('closed');
  });

  it('is asked by a probe only when nobody else asked since the last one', async () => {
    await store.read('key');
    await store.probe('key');
    expect(cache.calls).toBe(1);
    await store.probe('key');
    expect(cache.calls).toBe(2);
    await store.write('key', {});
    await store.probe('key');
    expect(cache.calls).toBe(3);
  });

  it('is found broken by one probe though nobody else asks, and not for a single failure', async () => {
    cache.behaviour = refuse;
    await store.probe('key');
    expect(store.breaker).toBe('open');
    expect(cache.calls).toBe(3);

    store = new SharedStore((cache = new FakeCache()), clock, TIMEOUT_MS);
    cache.behaviour = () => {
      cache.behaviour = undefined;
      return refuse();
    };
    await store.probe('key');
    expect(store.breaker).toBe('closed');
    expect(cache.calls).toBe(2);
  });

  it('is found well again by a probe', async () => {
    cache.behaviour = refuse;
    for (let failure = 0; failure < 3; failure++) await store.read('key');
    expect(store.breaker).toBe('open');
    cache.behaviour = undefined;
    await store.probe('key');
    expect(store.breaker).toBe('open');
    await clock.advance(5_000);
    await store.probe('key');
    expect(store.breaker).toBe('closed');
  });

  it('listens to the stores until it is closed', () => {
    expect(cache.stores[0]?.listenerCount('error')).toBe(1);
    store.close();
    expect(cache.stores[0]?.listenerCount('error')).toBe(0);
  });

  it.each([[undefined], [null], ['stores'], [[null, 5, {}]]])(
    'works on a cache whose stores are %j',
    (stores) => {
      const odd = { get: cache.get, set: cache.set, stores };
      expect(() => new SharedStore(odd, clock, TIMEOUT_MS).close()).not.toThrow();
    },
  );

  it('counts a record that the store cannot have been given', () => {
    store.reportCorrupt();
    expect(store.errors).toBe(1);
    expect(store.breaker).toBe('closed');
  });

  describe('on the real cache-manager', () => {
    /** A Keyv store as @keyv/redis is one: it tells its faults by an event, and Keyv turns them into misses. */
    class Adapter extends EventEmitter {
      readonly opts = {};
      readonly get = () => this.behave();
      readonly set = () => this.behave();
      readonly delete = () => this.behave();
      readonly clear = () => this.behave();

      constructor(private readonly behaviour: () => Promise<undefined>) {
        super();
      }

      private async behave(): Promise<undefined> {
        return this.behaviour().catch((error: unknown) => {
          this.emit('error', error);
          return undefined;
        });
      }
    }
    const over = (behaviour: () => Promise<undefined>): SharedStore =>
      new SharedStore(
        createCache({ stores: [new Keyv({ store: new Adapter(behaviour) })] }),
        clock,
        TIMEOUT_MS,
      );

    it('tells a store that fails from one that has nothing', async () => {
      const broken = over(refuse);
      expect(await broken.read('k')).toBe(UNAVAILABLE);
      expect(await broken.write('k', {}, 1_000)).toBe(UNAVAILABLE);
      expect(broken.errors).toBe(2);
      const empty = over(async () => undefined);
      expect(await empty.read('k')).toBeUndefined();
      expect(await empty.write('k', {}, 1_000)).toBeUndefined();
      expect(empty.errors).toBe(0);
    });

    it('does not hang with a store that hangs', async () => {
      const hung = over(never);
      expect(await timedOut(hung.read('k'))).toBe(UNAVAILABLE);
      expect(await timedOut(hung.write('k', {}))).toBe(UNAVAILABLE);
    });
  });
});
