import { TestClock } from '../testing/test-clock.js';
import { MemoryCache } from './memory-cache.js';

describe('MemoryCache', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  it('returns the same object that was set, not a copy', () => {
    const cache = new MemoryCache(10, clock);
    const record = { a: 1 };
    cache.set('k', record, 60_000);
    expect(cache.get('k')).toBe(record);
    expect(cache.get('other')).toBeUndefined();
  });

  it('drops an entry at the end of its ttl, by the monotonic clock', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 }, 60_000);
    await clock.advance(59_999);
    expect(cache.get('k')).toEqual({ a: 1 });
    await clock.advance(2);
    expect(cache.get('k')).toBeUndefined();
  });

  it('sees the time of the clock without a delay', () => {
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

  it('keeps an entry without a ttl', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 });
    await clock.advance(365 * 86_400_000);
    expect(cache.get('k')).toEqual({ a: 1 });
  });

  it('accepts a ttl with a fraction, and one of less than a millisecond', async () => {
    const cache = new MemoryCache(10, clock);
    cache.set('k', { a: 1 }, 1_000.5);
    cache.set('short', { a: 1 }, 0.2);
    await clock.advance(1_000);
    expect(cache.get('k')).toEqual({ a: 1 });
    expect(cache.get('short')).toBeUndefined();
  });

  it('evicts the least recently used entry when it is full', () => {
    const cache = new MemoryCache(3, clock);
    for (const key of ['a', 'b', 'c']) cache.set(key, { key });
    cache.get('a');
    cache.set('d', { key: 'd' });
    expect(cache.size).toBe(3);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toEqual({ key: 'a' });
  });

  it('removes expired entries once a minute', async () => {
    const cache = new MemoryCache(100, clock);
    for (let i = 0; i < 50; i++) cache.set(`k${i}`, {}, 1_000);
    await clock.advance(59_000);
    cache.set('early', {}, 600_000);
    expect(cache.size).toBe(51);
    await clock.advance(1_000);
    cache.set('late', {}, 600_000);
    expect(cache.size).toBe(2);
  });

  it('deletes an entry', () => {
    const cache = new MemoryCache(10, clock);
    cache.set('a', {});
    cache.set('b', {});
    cache.del('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toEqual({});
  });

  it('shares nothing with another cache', () => {
    const [one, other] = [new MemoryCache(10, clock), new MemoryCache(10, clock)];
    one.set('k', { a: 1 });
    expect(other.get('k')).toBeUndefined();
  });
});
