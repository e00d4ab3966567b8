import { slotOf, tokenOf } from '../../../test/fixtures/token-slots.js';
import { RecordStore, type StoredSecret } from '../../store/record-store.js';
import { SharedStore } from '../../store/shared-store.js';
import { TestClock } from '../../testing/test-clock.js';
import { TokenPublisher } from './token-publisher.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { fingerprintOf } from '../slot/value-fingerprint.js';

const MINUTE = 60_000;

/** A store that the test can inspect, slow down and switch off. */
class FakeCache {
  readonly entries = new Map<string, unknown>();
  readonly ttls: (number | undefined)[] = [];
  readonly log: string[] = [];
  isDown = false;
  slowMs = 0;

  constructor(private readonly clock: TestClock) {}

  get = async <T>(key: string): Promise<T | undefined> => {
    this.log.push('get');
    await this.work();
    return this.entries.get(key) as T | undefined;
  };

  set = async <T>(key: string, value: T, ttl?: number): Promise<T> => {
    this.log.push('set');
    await this.work();
    this.entries.set(key, value);
    this.ttls.push(ttl);
    return value;
  };

  private async work(): Promise<void> {
    if (this.slowMs > 0) await this.clock.sleep(this.slowMs);
    if (this.isDown) throw new Error('down');
  }
}

describe('TokenPublisher', () => {
  let clock: TestClock;
  let cache: FakeCache;
  let records: RecordStore;
  let closing: AbortController;
  let publisher: TokenPublisher;
  let slot: TokenSlot;

  beforeEach(() => {
    clock = new TestClock();
    cache = new FakeCache(clock);
    records = new RecordStore(new SharedStore({ cache, clock, timeoutMs: 250 }), undefined);
    closing = new AbortController();
    publisher = new TokenPublisher(records, clock, closing.signal);
    slot = slotOf(clock, 'tenant_a');
  });

  const stored = () => records.read(slot.key);
  const writes = () => cache.log.filter((operation) => operation === 'set').length;

  async function write(value: string, endsInMs: number): Promise<void> {
    const record: StoredSecret = {
      secret: value,
      obtainedAt: clock.now(),
      expiresAt: clock.now() + endsInMs,
      lifeMs: 120 * MINUTE,
    };
    await records.write(slot.key, record, 120 * MINUTE);
    cache.ttls.length = 0;
    cache.log.length = 0;
  }

  /** Holds a token and publishes it, as a flight does. */
  async function publish(value: string, lifeMs?: number): Promise<void> {
    const token = tokenOf(clock, value, lifeMs);
    slot.hold(token);
    await publisher.publish(slot, slot.generation, token);
  }

  describe('publish', () => {
    it('stores the token and its facts for the remaining life plus ten minutes', async () => {
      await publish('token-1');
      expect(await stored()).toEqual({
        secret: 'token-1',
        obtainedAt: clock.now(),
        expiresAt: clock.now() + 120 * MINUTE,
        lifeMs: 120 * MINUTE,
      });
      expect(cache.ttls).toEqual([130 * MINUTE]);
    });

    it('replaces a record that ends sooner', async () => {
      await write('older', 119 * MINUTE);
      await publish('newer');
      expect(await stored()).toMatchObject({ secret: 'newer' });
    });

    it('keeps a record that ends later', async () => {
      await write('later', 121 * MINUTE);
      await publish('sooner');
      expect(await stored()).toMatchObject({ secret: 'later' });
      expect(writes()).toBe(0);
    });

    it('replaces a record that ends later but was rejected', async () => {
      await write('rejected', 121 * MINUTE);
      slot.reject(fingerprintOf('rejected'), Infinity);
      await publish('sooner');
      expect(await stored()).toMatchObject({ secret: 'sooner' });
    });

    it('replaces a corrupt record, and a record without an end', async () => {
      cache.entries.set(slot.key, 'garbage');
      await publish('token-1');
      expect(await stored()).toMatchObject({ secret: 'token-1' });
      await records.write(slot.key, { secret: 'endless', obtainedAt: 1 }, MINUTE);
      await publish('token-2');
      expect(await stored()).toMatchObject({ secret: 'token-2' });
    });

    it('keeps a record of a later version of this module', async () => {
      cache.entries.set(slot.key, { version: 2 });
      await publish('token-1');
      expect(await stored()).toBe('newer');
      await clock.advance(MINUTE);
      expect(writes()).toBe(0);
    });

    it("#45 reads the store again when the lease ended during the read, and keeps the next holder's token", async () => {
      let isHeld = true;
      const lease = { isHeld: () => isHeld, release: () => Promise.resolve() };
      const { get } = cache;
      // The answer is from before the next holder's write.
      cache.get = async () => {
        cache.get = get;
        await write('of the next holder', 121 * MINUTE);
        isHeld = false;
        return undefined;
      };
      const late = tokenOf(clock, 'late');
      slot.hold(late);
      await publisher.publish(slot, slot.generation, late, lease);
      expect(await stored()).toMatchObject({ secret: 'of the next holder' });
      expect(writes()).toBe(0);
    });

    it('stores nothing after an invalidation', async () => {
      const token = tokenOf(clock, 'token-1');
      await publisher.publish(slot, slot.generation - 1, token);
      cache.slowMs = 100;
      const publishing = publisher.publish(slot, slot.generation, token);
      await clock.advance(50);
      slot.supersede();
      await clock.advance(200);
      await publishing;
      expect(writes()).toBe(0);
    });
  });

  describe('publish, when the store does not accept the token', () => {
    beforeEach(() => {
      cache.isDown = true;
    });

    it('tries once more five seconds later, without delaying the caller', async () => {
      await publish('token-1');
      cache.isDown = false;
      await clock.advance(4_999);
      expect(await stored()).toBe('miss');
      await clock.advance(1);
      expect(await stored()).toMatchObject({ secret: 'token-1' });
      expect(cache.ttls).toEqual([130 * MINUTE - 5_000]);
      expect(clock.pendingTimers).toBe(0);
    });

    it('gives up after the second attempt', async () => {
      await publish('token-1');
      await clock.advance(5_000);
      cache.isDown = false;
      await clock.advance(60 * MINUTE);
      expect(await stored()).toBe('miss');
      expect(clock.pendingTimers).toBe(0);
    });

    it('does not try again when the token was replaced', async () => {
      await publish('token-1');
      slot.hold(tokenOf(clock, 'token-2'));
      cache.isDown = false;
      await clock.advance(5_000);
      expect(await stored()).toBe('miss');
    });

    it('does not try again after an invalidation', async () => {
      await publish('token-1');
      slot.supersede();
      slot.hold(tokenOf(clock, 'token-1'));
      cache.isDown = false;
      await clock.advance(5_000);
      expect(await stored()).toBe('miss');
    });

    it('does not try again when the application closes, and leaves no timer', async () => {
      await publish('token-1');
      expect(clock.pendingTimers).toBe(1);
      cache.isDown = false;
      closing.abort();
      await TestClock.settle();
      expect(clock.pendingTimers).toBe(0);
      expect(await stored()).toBe('miss');
    });
  });

  describe('withdraw', () => {
    it('removes the rejected value and leaves an empty record for a minute', async () => {
      await publish('token-1');
      await publisher.withdraw(slot, 'token-1');
      expect(await stored()).toBe('miss');
      expect(JSON.stringify(cache.entries.get(slot.key))).not.toContain('token-1');
      expect(cache.ttls.at(-1)).toBe(MINUTE);
    });

    it('keeps another value', async () => {
      await publish('token-2');
      await publisher.withdraw(slot, 'token-1');
      expect(await stored()).toMatchObject({ secret: 'token-2' });
      expect(writes()).toBe(1);
    });

    it.each([
      ['empty', () => undefined],
      ['down', () => void (cache.isDown = true)],
      ['of a later version', () => void cache.entries.set(slot.key, { version: 2 })],
    ])('does nothing and does not reject when the store is %s', async (_, prepare) => {
      prepare();
      await publisher.withdraw(slot, 'token-1');
      expect(writes()).toBe(0);
    });
  });

  it('makes the changes of one record one after the other', async () => {
    await publish('token-1');
    cache.log.length = 0;
    cache.slowMs = 100;
    const withdrawn = publisher.withdraw(slot, 'token-1');
    const published = publish('token-2');
    await clock.advance(400);
    await Promise.all([withdrawn, published]);
    expect(cache.log).toEqual(['get', 'set', 'get', 'set']);
    cache.slowMs = 0;
    expect(await stored()).toMatchObject({ secret: 'token-2' });
  });

  it('makes the changes of two records at the same time', async () => {
    cache.slowMs = 100;
    const other = slotOf(clock, 'tenant_b');
    const both = Promise.all([
      publisher.publish(slot, 0, tokenOf(clock, 'a')),
      publisher.publish(other, 0, tokenOf(clock, 'b')),
    ]);
    await clock.advance(200);
    await both;
    expect(cache.log).toEqual(['get', 'get', 'set', 'set']);
  });
});
