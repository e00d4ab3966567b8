import { TestClock } from '../testing/test-clock.js';
import { createMemoryCache } from './memory-cache.js';

describe('createMemoryCache', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  const sizeOf = (cache: ReturnType<typeof createMemoryCache>): number =>
    (cache.stores[0]?.store as { size: number } | undefined)?.size ?? Number.NaN;

  it('gives back what it was given: the very object, not a copy', async () => {
    const cache = createMemoryCache(10, clock);
    const record = { a: 1 };
    await cache.set('k', record, 60_000);
    expect(await cache.get('k')).toBe(record);
    expect(await cache.get('other')).toBeUndefined();
  });

  it('forgets at the end of the ttl, by the monotonic clock', async () => {
    const cache = createMemoryCache(10, clock);
    await cache.set('k', { a: 1 }, 60_000);
    await clock.advance(59_999);
    expect(await cache.get('k')).toEqual({ a: 1 });
    await clock.advance(2);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('sees time pass as soon as the clock does', async () => {
    let ahead = 0;
    class SteppingClock extends TestClock {
      override monotonic(): number {
        return super.monotonic() + ahead;
      }
    }
    const cache = createMemoryCache(10, new SteppingClock());
    await cache.set('k', { a: 1 }, 60_000);
    expect(await cache.get('k')).toEqual({ a: 1 });
    ahead = 60_001;
    expect(await cache.get('k')).toBeUndefined();
  });

  it('keeps for ever what has no ttl', async () => {
    const cache = createMemoryCache(10, clock);
    await cache.set('k', { a: 1 });
    await clock.advance(365 * 86_400_000);
    expect(await cache.get('k')).toEqual({ a: 1 });
  });

  it('holds a ttl with a fraction, and one of less than a millisecond', async () => {
    const cache = createMemoryCache(10, clock);
    await cache.set('k', { a: 1 }, 1_000.5);
    await cache.set('short', { a: 1 }, 0.2);
    await clock.advance(1_000);
    expect(await cache.get('k')).toEqual({ a: 1 });
    expect(await cache.get('short')).toBeUndefined();
  });

  it('holds no more than it may: the least recently used go first', async () => {
    const cache = createMemoryCache(3, clock);
    for (const key of ['a', 'b', 'c']) await cache.set(key, { key });
    await cache.get('a');
    await cache.set('d', { key: 'd' });
    expect(sizeOf(cache)).toBe(3);
    expect(await cache.get('b')).toBeUndefined();
    expect(await cache.get('a')).toEqual({ key: 'a' });
  });

  it('sweeps out what has expired and nobody asks for, once a minute', async () => {
    const cache = createMemoryCache(100, clock);
    for (let i = 0; i < 50; i++) await cache.set(`k${i}`, {}, 1_000);
    await clock.advance(59_000);
    await cache.set('early', {}, 600_000);
    expect(sizeOf(cache)).toBe(51);
    await clock.advance(1_000);
    await cache.set('late', {}, 600_000);
    expect(sizeOf(cache)).toBe(2);
  });

  it('deletes and clears', async () => {
    const cache = createMemoryCache(10, clock);
    await cache.set('a', {});
    await cache.set('b', {});
    await cache.del('a');
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('b')).toEqual({});
    await cache.clear();
    expect(await cache.get('b')).toBeUndefined();
  });

  it('keeps two caches apart', async () => {
    const [one, other] = [createMemoryCache(10, clock), createMemoryCache(10, clock)];
    await one.set('k', { a: 1 });
    expect(await other.get('k')).toBeUndefined();
  });
});
