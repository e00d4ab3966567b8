import { type RefreshLock } from '../lock/refresh-lock.js';
import { testRunner, type TestRunner } from './test-runner.js';

/**
 * What every {@link RefreshLock} must do, as a `describe` block: of the global `describe` and `it`, or of those in
 * `runner`, as Vitest without globals and `node:test` need it. Uses real time, at most a
 * second a case, so that it also fits locks that live on a server.
 *
 * @param makeLock gives a lock; called once a case, and all locks it gives must exclude each other, as those of
 * several processes would
 *
 * @example
 * refreshLockConformance(() => new MyRefreshLock({ client }));
 *
 * @publicApi
 */
export function refreshLockConformance(
  makeLock: () => RefreshLock | Promise<RefreshLock>,
  runner?: Partial<TestRunner>,
): void {
  const { describe, it } = testRunner(runner);
  const options = { ttlMs: 5_000, waitMs: 0 };
  let keys = 0;
  const newKey = (): string => `conformance:{${process.pid}-${Date.now()}-${keys++}}`;

  describe('RefreshLock conformance', () => {
    it('gives a lease that is held', async () => {
      const lease = await (await makeLock()).acquire(newKey(), options);
      check(lease?.isHeld() === true, 'a free key gives a lease that is held');
      await lease?.release();
    });

    it('gives one lease at a time, to one instance or several', async () => {
      const [first, second, key] = [await makeLock(), await makeLock(), newKey()];
      const lease = await first.acquire(key, options);
      check((await first.acquire(key, options)) === undefined, 'the same instance is refused');
      check((await second.acquire(key, options)) === undefined, 'another instance is refused');
      await lease?.release();
    });

    it('gives exactly one lease to many who ask at once', async () => {
      const [first, second, key] = [await makeLock(), await makeLock(), newKey()];
      const asked = Array.from({ length: 20 }, (_, i) => (i % 2 ? first : second).acquire(key, options));
      const leases = (await Promise.all(asked)).filter((lease) => lease !== undefined);
      check(leases.length === 1, `one of 20 has the lease, not ${leases.length}`);
      await leases[0]?.release();
    });

    it('keeps keys apart', async () => {
      const lock = await makeLock();
      const leases = [await lock.acquire(newKey(), options), await lock.acquire(newKey(), options)];
      check(!leases.includes(undefined), 'two keys, two leases');
      for (const lease of leases) await lease?.release();
    });

    it('frees the key on release, once', async () => {
      const [lock, key] = [await makeLock(), newKey()];
      const lease = await lock.acquire(key, options);
      await lease?.release();
      check(lease?.isHeld() === false, 'a released lease is not held');
      const next = await lock.acquire(key, options);
      check(next !== undefined, 'the key is free again');
      await lease?.release();
      check((await lock.acquire(key, options)) === undefined, 'a second release frees nothing');
      await next?.release();
    });

    it('lets a lease run out after ttlMs', async () => {
      const [lock, key] = [await makeLock(), newKey()];
      const lease = await lock.acquire(key, { ttlMs: 60, waitMs: 0 });
      const next = await lock.acquire(key, { ttlMs: 5_000, waitMs: 1_000 });
      check(next !== undefined, 'the key is free when the lease has run out');
      check(lease?.isHeld() === false, 'a lease that ran out is not held');
      await lease?.release();
      check(next?.isHeld() === true, 'the late release does not take away the next lease');
      check((await lock.acquire(key, options)) === undefined, 'nor does it free the key');
      await next?.release();
    });

    it('waits at most waitMs', async () => {
      const [lock, key] = [await makeLock(), newKey()];
      const lease = await lock.acquire(key, options);
      const startedAt = performance.now();
      const refused = await lock.acquire(key, { ttlMs: 5_000, waitMs: 150 });
      const waited = performance.now() - startedAt;
      check(refused === undefined, 'a key that stays taken is refused');
      check(waited >= 140 && waited < 1_500, `after about 150 ms, not ${Math.round(waited)}`);
      await lease?.release();
    });

    it('gives the key to who waits when it is released', async () => {
      const [first, second, key] = [await makeLock(), await makeLock(), newKey()];
      const lease = await first.acquire(key, options);
      const waiting = second.acquire(key, { ttlMs: 5_000, waitMs: 3_000 });
      await lease?.release();
      const next = await waiting;
      check(next?.isHeld() === true, 'who waited has it');
      await next?.release();
    });

    it('stops waiting when the signal is aborted', async () => {
      const [lock, key] = [await makeLock(), newKey()];
      const lease = await lock.acquire(key, options);
      const controller = new AbortController();
      const waiting = lock.acquire(key, { ttlMs: 5_000, waitMs: 3_000, signal: controller.signal });
      const startedAt = performance.now();
      controller.abort();
      check((await waiting) === undefined, 'an aborted wait resolves undefined');
      check(performance.now() - startedAt < 1_500, 'and at once');
      await lease?.release();
      // Time for one that was aborted and still tries to take what is free now.
      await new Promise((resolve) => setTimeout(resolve, 150));
      check((await lock.acquire(key, options)) !== undefined, 'and leaves no lock behind');
    });
  });
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`RefreshLock contract broken: ${rule}`);
}
