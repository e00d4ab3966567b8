import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { TestClock } from '../testing/test-clock.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';
import { type TokenCache } from './token-cache.js';

const TIMEOUT_MS = 250;

/** A cache-manager cache over one store, whose operations do what the test says. */
class FakeCache {
  readonly stores = [new EventEmitter()];
  readonly entries = new Map<string, unknown>();
  readonly sets: { key: string; value: unknown; ttl: number | undefined }[] = [];
  calls = 0;
  /** Replaces every operation. */
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

  fault(error = new Error('ECONNREFUSED')): void {
    this.stores[0]?.emit('error', error);
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
    store = open(cache);
  });

  /** What the store reported: a problem, or `undefined` when it worked again. */
  let reported: (string | undefined)[];
  let breakerStates: string[];

  function open(on: TokenCache): SharedStore {
    reported = [];
    breakerStates = [];
    return new SharedStore({
      cache: on,
      clock,
      timeoutMs: TIMEOUT_MS,
      onChange: (problem) => reported.push(problem),
      onBreaker: (state) => breakerStates.push(state),
    });
  }

  const counts = () => {
    const { reads, writes, errors, timeouts } = store;
    return { reads, writes, errors, timeouts };
  };

  /** The answer of an operation of a store that hangs. */
  async function timedOut<T>(operation: Promise<T>): Promise<T> {
    await clock.advance(TIMEOUT_MS);
    return operation;
  }

  it('reads a written value, and undefined for a missing one', async () => {
    const record = { a: 1 };
    expect(await store.write('k', record, 5_000)).toBeUndefined();
    expect(cache.sets).toEqual([{ key: 'k', value: record, ttl: 5_000 }]);
    expect(await store.read('k')).toBe(record);
    expect(await store.read('other')).toBeUndefined();
    cache.entries.set('null', null);
    expect(await store.read('null')).toBeUndefined();
    expect(counts()).toEqual({ reads: 3, writes: 1, errors: 0, timeouts: 0 });
  });

  it('stops waiting at the deadline, and not before', async () => {
    cache.behaviour = never;
    let answer: unknown = 'none yet';
    void store.read('k').then((it) => (answer = it));
    await clock.advance(TIMEOUT_MS - 1);
    expect(answer).toBe('none yet');
    await clock.advance(1);
    expect(answer).toBe(UNAVAILABLE);
    expect(await timedOut(store.write('k', {}, 1_000))).toBe(UNAVAILABLE);
    expect(counts()).toEqual({ reads: 1, writes: 1, errors: 0, timeouts: 2 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ignores an error that comes after the deadline', async () => {
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
  ])('returns UNAVAILABLE and counts one error if the cache %s', async (_, behaviour) => {
    cache.behaviour = behaviour as () => Promise<undefined>;
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(counts()).toMatchObject({ errors: 1, timeouts: 0 });
    expect(await store.write('k', {}, 1_000)).toBe(UNAVAILABLE);
    expect(counts()).toMatchObject({ errors: 2, timeouts: 0 });
  });

  it('notices faults that cache-manager hides as a miss or as a success', async () => {
    cache.behaviour = async () => {
      cache.fault();
      return undefined;
    };
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(await store.write('k', {}, 1_000)).toBe(UNAVAILABLE);
    expect(counts()).toEqual({ reads: 1, writes: 1, errors: 2, timeouts: 0 });
  });

  it('counts a fault once that is both reported and thrown', async () => {
    cache.behaviour = () => {
      cache.fault();
      return refuse();
    };
    await store.read('k');
    expect(store.errors).toBe(1);
  });

  it('returns a value that was read in spite of a fault', async () => {
    cache.entries.set('k', 'value');
    const reading = store.read('k');
    cache.fault();
    expect(await reading).toBe('value');
  });

  it('opens its breaker after three failures: sends nothing for 5 s, then one probe', async () => {
    cache.behaviour = refuse;
    for (let i = 0; i < 3; i++) await store.read('k');
    expect(store.breaker).toBe('open');
    expect(await store.read('k')).toBe(UNAVAILABLE);
    expect(await store.write('k', {}, 1_000)).toBe(UNAVAILABLE);
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
    expect(breakerStates).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
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
  ])('opens its breaker for a store that %s', async (_, behaviour) => {
    cache.behaviour = behaviour;
    for (let i = 0; i < 3; i++) await timedOut(store.read('k'));
    expect(store.breaker).toBe('open');
  });

  it('counts a miss as an answer', async () => {
    for (let i = 0; i < 5; i++) await store.read('nothing');
    expect(store.breaker).toBe('closed');
  });

  it('is asked by a probe only if it was not asked since the last one', async () => {
    await store.read('key');
    await store.probe('key');
    expect(cache.calls).toBe(1);
    await store.probe('key');
    expect(cache.calls).toBe(2);
    await store.write('key', {}, 1_000);
    await store.probe('key');
    expect(cache.calls).toBe(3);
  });

  it('is found broken by one probe, but not because of a single failure', async () => {
    cache.behaviour = refuse;
    await store.probe('key');
    expect(store.breaker).toBe('open');
    expect(cache.calls).toBe(3);

    store = open((cache = new FakeCache()));
    cache.behaviour = () => {
      cache.behaviour = undefined;
      return refuse();
    };
    await store.probe('key');
    expect(store.breaker).toBe('closed');
    expect(cache.calls).toBe(2);
  });

  it('is found to work again by a probe', async () => {
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
      expect(() => open(odd).close()).not.toThrow();
    },
  );

  describe('a problem', () => {
    const refuseWith = (message: string) => (): Promise<undefined> => Promise.reject(new Error(message));

    it('B1 is reported once when writes are refused while reads work, and its end once', async () => {
      const set = cache.set;
      cache.set = () => Promise.reject(new Error("READONLY You can't write against a read only replica."));
      for (let i = 0; i < 3; i++) {
        expect(await store.read('k')).toBeUndefined();
        expect(await store.write('k', {}, 1_000)).toBe(UNAVAILABLE);
      }
      expect(reported).toEqual(["writes fail: READONLY You can't write against a read only replica."]);
      expect(store.problem).toBe(reported[0]);
      expect(store.breaker).toBe('closed');

      await store.probe('other');
      expect(store.problem).toBe(reported[0]);
      cache.set = set;
      await store.probe('other');
      expect(store.problem).toBeUndefined();
      expect(reported).toEqual([expect.any(String), undefined]);
      // The probe did not overwrite the record that it could not write before.
      expect(cache.sets.map(({ key }) => key)).toEqual(['k:probe']);
    });

    it.each(['OOM command not allowed', 'NOPERM no permissions to run the set command'])(
      'H6 is reported at the first refusal: %s',
      async (message) => {
        cache.behaviour = refuseWith(message);
        await store.write('k', {}, 1_000);
        expect(reported).toEqual([`writes fail: ${message}`]);
        expect(store.breaker).toBe('closed');
      },
    );

    it('is not reported for one timeout, but for three in a row', async () => {
      cache.behaviour = never;
      await timedOut(store.write('k', {}, 1_000));
      await timedOut(store.write('k', {}, 1_000));
      expect(reported).toEqual([]);
      await timedOut(store.write('k', {}, 1_000));
      expect(reported).toEqual(['writes fail: no answer within 250 ms']);
    });

    it('is reported when writes time out again and again although reads work', async () => {
      cache.set = never as typeof cache.set;
      for (let i = 0; i < 3; i++) {
        await store.read('k');
        await timedOut(store.write('k', {}, 1_000));
      }
      expect(reported).toEqual(['writes fail: no answer within 250 ms']);
    });

    it('is reported when the breaker opens by failures of different keys', async () => {
      cache.behaviour = refuse;
      for (const key of ['a', 'b', 'c']) await store.read(key);
      expect(reported).toEqual(['operations fail: ECONNREFUSED']);
      cache.behaviour = undefined;
      await clock.advance(5_000);
      await store.read('a');
      expect(reported).toEqual([expect.any(String), undefined]);
    });

    it('H7 goes on until the key that failed works again, whatever other keys do', async () => {
      const get = cache.get;
      cache.get = (key: string) => (key === 'dead' ? refuse() : get(key));
      for (let i = 0; i < 3; i++) {
        await store.read('dead');
        await store.read('alive');
      }
      expect(reported).toEqual(['reads fail: ECONNREFUSED']);
      expect(store.breaker).toBe('closed');
      await store.probe('alive');
      expect(store.problem).toBe('reads fail: ECONNREFUSED');
      cache.get = get;
      await store.read('alive');
      expect(store.problem).toBeDefined();
      await store.probe('alive');
      expect(store.problem).toBeUndefined();
      expect(reported).toEqual([expect.any(String), undefined]);
    });

    it('remembers a bounded number of keys that failed', async () => {
      cache.behaviour = refuseWith('NOPERM no permissions');
      for (let i = 0; i < 1_000; i++) await store.read(`key ${i}`);
      cache.behaviour = undefined;
      const { calls } = cache;
      for (let sweep = 0; sweep < 200; sweep++) await store.probe('key');
      expect(store.problem).toBeUndefined();
      expect(cache.calls - calls).toBeLessThan(400);
    });

    it('B5 is not what the application does on the same cache', async () => {
      for (let i = 0; i < 10; i++) {
        const reading = store.read('k');
        cache.fault(new Error('WRONGTYPE Operation against a key holding the wrong kind of value'));
        await reading;
      }
      expect(counts()).toMatchObject({ reads: 10, errors: 0 });
      expect(store.breaker).toBe('closed');
      expect(reported).toEqual([]);
    });

    it('B5 is not what another instance of the module does on the same cache', async () => {
      const other = open(cache);
      cache.behaviour = async () => {
        cache.fault();
        return undefined;
      };
      expect(await other.read('k')).toBe(UNAVAILABLE);
      cache.behaviour = undefined;
      expect(await store.read('k')).toBeUndefined();
      expect(store.errors).toBe(0);
    });

    it('B7 names why there is no connection: the error that the client emitted', async () => {
      cache.behaviour = refuseWith('The client is closed');
      cache.fault(new Error('WRONGPASS invalid username-password pair'));
      for (let i = 0; i < 3; i++) await store.read('k');
      expect(reported).toEqual(['reads fail: WRONGPASS invalid username-password pair']);
    });

    it('B7 names why there is no connection when the operation itself makes it', async () => {
      cache.behaviour = () => {
        cache.fault(new Error('NOAUTH Authentication required.'));
        return never();
      };
      for (let i = 0; i < 3; i++) await timedOut(store.read('k'));
      expect(reported[0]).toBe('reads fail: NOAUTH Authentication required.');
      // No answer came, so the breaker spares the callers the next wait.
      expect(store.breaker).toBe('open');
    });

    it('repeats no secret that was to be stored', async () => {
      cache.behaviour = refuseWith("ERR unknown command 'SET' 't-secret-of-the-tenant'");
      await store.write('k', { secret: 't-secret-of-the-tenant' }, 1_000);
      cache.behaviour = refuseWith('ERR value c2VhbGVkLXNlY3JldA== is too long');
      await store.write('k2', { sealed: { data: 'c2VhbGVkLXNlY3JldA==' } }, 1_000);
      expect(JSON.stringify([reported, store.problem])).not.toMatch(/t-secret|c2Vh/);
      expect(reported).toEqual(['writes fail: the store refused the value']);
    });

    it('E4 does not keep the async context of the caller in what the operation creates', async () => {
      const context = new AsyncLocalStorage<string>();
      let seen: string | undefined = 'nothing ran';
      cache.behaviour = async () => {
        seen = context.getStore();
        return undefined;
      };
      await context.run('a renewal', () => store.read('k'));
      expect(seen).toBeUndefined();
    });
  });

  it('counts a record that this module cannot have written', () => {
    store.reportCorrupt();
    expect(store.errors).toBe(1);
    expect(store.breaker).toBe('closed');
  });

  describe('on the real cache-manager', () => {
    /** An adapter like @keyv/redis: it reports its faults by an event, and Keyv turns them into misses. */
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
      open(createCache({ stores: [new Keyv({ store: new Adapter(behaviour) })] }));

    it('distinguishes a store that fails from an empty one', async () => {
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
      expect(await timedOut(hung.write('k', {}, 1_000))).toBe(UNAVAILABLE);
    });
  });
});
