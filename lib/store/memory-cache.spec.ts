import { TestClock } from '../testing/test-clock.js';
import { MemoryCache } from './memory-cache.js';

describe('MemoryCache', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  it('gives back what it was given: the very object, not a copy', () => {
    const cache = new MemoryCache(10, clock);
    const record = { a: 1 };
    cache.set('k', record, 60_000);
    expect(cache.get('k')).toBe(record);
    expect(cache.get('other')).toBeUndefined();
  });

  it('forgets at the end of the ttl, by the monotonic clock', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 }, 60_000);
    await clock.advance(59_999);
    expect(cache.get('k')).toEqual({ a: 1 });
    await clock.advance(2);
    expect(cache.get('k')).toBeUndefined();
  });

  it('sees time pass as soon as the clock does', () => {
    let ahead = 0;
    class SteppingClock extends TestClock {
      override monotonic(): number {
        return super.monotonic() + ahead;
      }
    }
    const cache = new MemoryCache(10, new SteppingClock());
    cache.set('k', { a: 1 }, 60_000);
    expect(cache.get('k')).toEqual({ a: 1 });
    ahead = 60_001;
    expect(cache.get('k')).toBeUndefined();
  });

  it('keeps for ever what has no ttl', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 });
    await clock.advance(365 * 86_400_000);
    expect(cache.get('k')).toEqual({ a: 1 });
  });

  it('holds a ttl with a fraction, and one of less than a millisecond', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 }, 1_000.5);
    cache.set('short', { a: 1 }, 0.2);
    await clock.advance(1_000);
    expect(cache.get('k')).toEqual({ a: 1 });
    expect(cache.get('short')).toBeUndefined();
  });

  it('holds no more than it may: the least recently used go first', () => {
    const cache = new MemoryCache(3, clock);
    for (const key of ['a', 'b', 'c']) cache.set(key, { key });
    cache.get('a');
    cache.set('d', { key: 'd' });
    expect(cache.size).toBe(3);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toEqual({ key: 'a' });
  });

  it('sweeps out what has expired and nobody asks for, once a minute', async () => {
    const cache = new MemoryCache(100, clock);
    for (let i = 0; i < 50; i++) cache.set(`k${i}`, {}, 1_000);
    await clock.advance(59_000);
    cache.set('early', {}, 600_000);
    expect(cache.size).toBe(51);
    await clock.advance(1_000);
    cache.set('late', {}, 600_000);
    expect(cache.size).toBe(2);
  });

  it('deletes', () => {
    const cache = new MemoryCache(10, clock);
    cache.set('a', {});
    cache.set('b', {});
    cache.del('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toEqual({});
  });

  it('keeps two caches apart', () => {
    const [one, other] = [new MemoryCache(10, clock), new MemoryCache(10, clock)];
    one.set('k', { a: 1 });
    expect(other.get('k')).toBeUndefined();
  });
});
