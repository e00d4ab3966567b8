import { InProcessRefreshLock } from './in-process-refresh-lock.js';
import { RefreshLock, type RefreshLease } from './refresh-lock.js';
import { WatchedLock } from './watched-lock.js';

const OPTIONS = { ttlMs: 1_000, waitMs: 0 };

/** A lock without claims that fails on demand. */
class PlainLock extends RefreshLock {
  failure: unknown;
  readonly lock = new InProcessRefreshLock();

  acquire(key: string): Promise<RefreshLease | undefined> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.lock.acquire(key, OPTIONS);
  }
}

describe('WatchedLock', () => {
  let told: (string | undefined)[];
  beforeEach(() => {
    told = [];
  });
  const watch = (lock: RefreshLock): WatchedLock => new WatchedLock(lock, (problem) => told.push(problem));

  it('passes leases through', async () => {
    const lock = watch(new InProcessRefreshLock());
    const lease = await lock.acquire('a', OPTIONS);
    expect(lease?.isHeld()).toBe(true);
    expect(await lock.acquire('a', OPTIONS)).toBeUndefined();
    await lease?.release();
    expect(lease?.isHeld()).toBe(false);
    expect(await lock.acquire('a', OPTIONS)).toBeDefined();
    expect(told).toEqual([]);
  });

  it('claims by a lease that is never released if the lock has no claims', async () => {
    const lock = watch(new PlainLock());
    expect(await lock.claim('a', 1_000)).toBe(true);
    expect(await lock.claim('a', 1_000)).toBe(false);
  });

  it('B7 reports once that the lock fails, with the innermost reason, and once that it works again', async () => {
    const plain = new PlainLock();
    const lock = watch(plain);
    plain.failure = new Error('the lock failed', { cause: new Error('WRONGPASS invalid password') });
    for (let i = 0; i < 3; i++) await expect(lock.acquire('a', OPTIONS)).rejects.toBe(plain.failure);
    expect(lock.problem()).toBe('WRONGPASS invalid password');
    plain.failure = undefined;
    for (let i = 0; i < 3; i++) await lock.acquire('a', OPTIONS);
    expect(told).toEqual(['WRONGPASS invalid password', undefined]);
    expect(lock.problem()).toBeUndefined();
  });

  it('B2 is found to work again by a probe, without a renewal; a lock that works is not probed', async () => {
    const plain = new PlainLock();
    const lock = watch(plain);
    plain.failure = new Error('OOM command not allowed');
    await expect(lock.acquire('a', OPTIONS)).rejects.toThrow('OOM');
    await lock.probe('probe');
    expect(lock.problem()).toContain('OOM');
    plain.failure = undefined;
    await lock.probe('probe');
    expect(lock.problem()).toBeUndefined();
    expect(await plain.acquire('probe')).toBeDefined();
    await lock.probe('probe');
    expect(told).toEqual(['OOM command not allowed', undefined]);
  });

  it('B6 reports what the lock itself says, also about a release that failed', async () => {
    const inner = new InProcessRefreshLock();
    let problem: string | undefined;
    const lock = watch(Object.assign(inner, { problem: () => problem }));
    const lease = await lock.acquire('a', OPTIONS);
    problem = 'EVAL: NOPERM';
    await lease?.release();
    expect(told).toEqual(['EVAL: NOPERM']);
    await lock.acquire('b', OPTIONS);
    problem = undefined;
    await lock.claim('c', 1_000);
    expect(told).toEqual(['EVAL: NOPERM', undefined]);
  });
});
