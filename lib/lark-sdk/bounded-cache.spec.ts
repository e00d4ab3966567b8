import { TestClock } from '../testing/test-clock.js';
import { BoundedCache } from './bounded-cache.js';

describe('BoundedCache', () => {
  let clock: TestClock;
  let cache: BoundedCache;

  beforeEach(() => {
    clock = new TestClock();
    cache = new BoundedCache(clock, 3);
  });

  it('keeps an entry until its end in epoch milliseconds', async () => {
    await cache.set('seen', '1', clock.now() + 1_000);
    expect(await cache.get('seen')).toBe('1');
    await clock.advance(999);
    expect(await cache.get('seen')).toBe('1');
    await clock.advance(1);
    expect(await cache.get('seen')).toBeUndefined();
  });

  it('keeps an entry without an end and drops an entry whose end has passed', async () => {
    const value = { refreshToken: 'r' };
    await cache.set('user', value, Infinity);
    await cache.set('session', 's');
    await cache.set('user-2', 'old');
    await cache.set('user-2', 'over', clock.now() - 1);
    await clock.advance(1_000_000_000);
    expect(await cache.get('user')).toBe(value);
    expect(await cache.get('session')).toBe('s');
    expect(await cache.get('user-2')).toBeUndefined();
  });

  it('separates namespaces, and symbols from strings', async () => {
    const symbol = Symbol('key');
    await cache.set('key', 1);
    await cache.set('key', 2, undefined, { namespace: 'a' });
    await cache.set(symbol, 3);
    expect(await cache.get('key')).toBe(1);
    expect(await cache.get('key', { namespace: 'a' })).toBe(2);
    expect(await cache.get('key', { namespace: 'b' })).toBeUndefined();
    expect(await cache.get(symbol)).toBe(3);
    expect(await cache.get('Symbol(key)')).toBeUndefined();
  });

  it('is bounded, and expiring entries do not evict lasting ones', async () => {
    await cache.set('user', 'u', Infinity);
    for (const message of ['1', '2', '3', '4']) await cache.set(message, message, clock.now() + 60_000);
    expect(await cache.get('1')).toBeUndefined();
    expect(await cache.get('4')).toBe('4');
    expect(await cache.get('user')).toBe('u');
  });
});
