import { jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { refreshLockConformance } from '../testing/refresh-lock-conformance.js';
import { TestClock } from '../testing/test-clock.js';
import { InProcessRefreshLock } from './in-process-refresh-lock.js';
import { type RefreshLease, type RefreshLockOptions } from './refresh-lock.js';

const KEY = 'feishu-auth:v1:{a}:lock';

describe('InProcessRefreshLock', () => {
  const shared = new InProcessRefreshLock();
  refreshLockConformance(() => shared);

  describe('on a clock of the test', () => {
    let clock: TestClock;
    let lock: InProcessRefreshLock;

    beforeEach(() => {
      clock = new TestClock();
      lock = new InProcessRefreshLock({ clock });
    });
    afterEach(() => {
      // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
      expect(clock.pendingTimers).toBe(0);
    });

    const acquire = (waitMs = 0, signal?: AbortSignal) =>
      lock.acquire(KEY, { ttlMs: 10_000, waitMs, ...(signal && { signal }) });

    async function acquired(waitMs = 0): Promise<RefreshLease> {
      const lease = await acquire(waitMs);
      if (!lease) throw new Error('the key is taken');
      return lease;
    }

    it('ends a lease after its ttl, and not before', async () => {
      const lease = await acquired();
      await clock.advance(9_999);
      expect(lease.isHeld()).toBe(true);
      expect(await acquire()).toBeUndefined();
      await clock.advance(1);
      expect(lease.isHeld()).toBe(false);
      expect((await acquired()).isHeld()).toBe(true);
    });

    it('keeps a lease when the wall clock jumps', async () => {
      const lease = await acquired();
      clock.jumpWall(3_600_000);
      expect(lease.isHeld()).toBe(true);
      expect(await acquire()).toBeUndefined();
    });

    it('stops waiting after waitMs, and not before', async () => {
      await acquired();
      let answer: unknown = 'none yet';
      const waiting = acquire(2_000).then((lease) => (answer = lease));
      await clock.advance(1_999);
      expect(answer).toBe('none yet');
      await clock.advance(1);
      await waiting;
      expect(answer).toBeUndefined();
    });

    it('gives the key to a waiter as soon as it is released', async () => {
      const lease = await acquired();
      const waiting = acquire(2_000);
      await clock.advance(500);
      await lease.release();
      expect((await waiting)?.isHeld()).toBe(true);
      expect(lease.isHeld()).toBe(false);
    });

    it('gives the key to a waiter when the lease ends by its ttl', async () => {
      await acquired();
      await clock.advance(9_000);
      const waiting = acquire(2_000);
      await clock.advance(1_000);
      expect((await waiting)?.isHeld()).toBe(true);
    });

    it('gives the key to a waiter whose wait ends with the lease', async () => {
      await acquired();
      const waiting = acquire(10_000);
      await clock.advance(10_000);
      expect((await waiting)?.isHeld()).toBe(true);
    });

    it('gives the key to one waiter; the others wait on, no longer than they wanted', async () => {
      const lease = await acquired();
      const waiting = [acquire(2_000), acquire(2_000), acquire(2_000)];
      await clock.advance(1_000);
      await lease.release();
      await clock.advance(999);
      const held = await Promise.race(waiting);
      expect(held?.isHeld()).toBe(true);
      await clock.advance(1);
      const leases = await Promise.all(waiting);
      expect(leases.filter(Boolean)).toEqual([held]);
    });

    it('gives the key to waiters in the order in which they asked', async () => {
      const order: number[] = [];
      const work = async (n: number): Promise<void> => {
        const lease = await acquire(60_000);
        order.push(n);
        await clock.sleep(100);
        expect(lease?.isHeld()).toBe(true);
        await lease?.release();
      };
      const all = Promise.all([1, 2, 3, 4].map(work));
      await clock.advance(400);
      await all;
      expect(order).toEqual([1, 2, 3, 4]);
    });

    it('gives the key of an ended lease to the first waiter, not to a caller that comes later', async () => {
      await acquired();
      const waiting = acquire(20_000);
      await clock.advance(9_999);
      const late = clock.sleep(1).then(() => acquire());
      await clock.advance(1);
      expect((await waiting)?.isHeld()).toBe(true);
      expect(await late).toBeUndefined();
    });

    it('starts the ttl of a waiter when it gets the key', async () => {
      const first = await acquired();
      const waiting = acquire(9_000);
      await clock.advance(9_000 - 1);
      await first.release();
      const next = await waiting;
      await clock.advance(9_999);
      expect(next?.isHeld()).toBe(true);
    });

    it('frees the key once, and not that of a later holder', async () => {
      const first = await acquired();
      await clock.advance(10_000);
      const second = await acquired();
      await first.release();
      expect(second.isHeld()).toBe(true);
      expect(await acquire()).toBeUndefined();
    });

    it('does not take a free key if the signal is aborted already', async () => {
      expect(await acquire(2_000, AbortSignal.abort())).toBeUndefined();
      expect((await acquired()).isHeld()).toBe(true);
    });

    it('stops waiting when the signal is aborted', async () => {
      const lease = await acquired();
      const controller = new AbortController();
      const waiting = acquire(2_000, controller.signal);
      await TestClock.settle();
      controller.abort();
      expect(await waiting).toBeUndefined();
      await lease.release();
      expect((await acquired()).isHeld()).toBe(true);
    });

    it.each<[string, (lease: RefreshLease) => Promise<unknown>]>([
      ['gets the key', (lease) => lease.release()],
      ['gives up', () => clock.advance(2_000)],
    ])('leaves no listener on the signal of a waiter that %s', async (_, end) => {
      const lease = await acquired();
      const { signal } = new AbortController();
      const waiting = acquire(2_000, signal);
      await TestClock.settle();
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      await end(lease);
      await waiting;
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it.each<[Partial<RefreshLockOptions>, string]>([
      [{ ttlMs: Number.NaN }, 'ttlMs'],
      [{ ttlMs: 0 }, 'ttlMs'],
      [{ ttlMs: Infinity }, 'ttlMs'],
      [{ waitMs: Number.NaN }, 'waitMs'],
      [{ waitMs: -1 }, 'waitMs'],
      [{ waitMs: Infinity }, 'waitMs'],
      [{ waitMs: '300' as unknown as number }, 'waitMs'],
    ])('C5 refuses %p', async (wrong, name) => {
      const acquiring = lock.acquire(KEY, { ttlMs: 10_000, waitMs: 0, ...wrong });
      await expect(acquiring).rejects.toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        message: expect.stringContaining(name),
      });
    });

    it('does not collect leases that were never released', async () => {
      for (let i = 0; i < 1_000; i++) {
        await lock.acquire(`key:${i}`, { ttlMs: 1_000, waitMs: 0 });
        await clock.advance(100);
      }
      const { keys } = lock as unknown as { keys: Map<string, unknown> };
      expect(keys.size).toBeLessThan(100);
    });

    it('keeps nothing of a key that is free', async () => {
      await (await acquired()).release();
      const { keys } = lock as unknown as { keys: Map<string, unknown> };
      expect(keys.size).toBe(0);
    });

    it('G hands a key on in linear time: one timer more for each waiter, and no other is woken', async () => {
      const timers = jest.spyOn(clock, 'setTimeout');
      const lease = await acquired();
      const count = 800;
      let granted = 0;
      const all = Array.from({ length: count }, async () => {
        const next = await acquire(60_000);
        granted++;
        await next?.release();
      });
      await TestClock.settle();
      await lease.release();
      await Promise.all(all);
      expect(granted).toBe(count);
      // For each waiter: when it joins and when it leaves, the end of its wait and the end of the lease.
      expect(timers.mock.calls.length).toBeLessThanOrEqual(4 * count);
    });
  });

  describe('claims', () => {
    let clock: TestClock;
    beforeEach(() => {
      clock = new TestClock();
    });

    it('are granted once until they end', async () => {
      const lock = new InProcessRefreshLock({ clock });
      expect(await lock.claim('event:1', 60_000)).toBe(true);
      await clock.advance(59_999);
      expect(await lock.claim('event:1', 60_000)).toBe(false);
      expect(await lock.claim('event:2', 60_000)).toBe(true);
      await clock.advance(1);
      expect(await lock.claim('event:1', 60_000)).toBe(true);
    });

    it('A3 are bounded: the oldest are dropped first, and counted', async () => {
      const lock = new InProcessRefreshLock({ clock, maxClaims: 3 });
      for (const key of ['a', 'b', 'c', 'd', 'e']) expect(await lock.claim(key, 60_000)).toBe(true);
      expect(lock.droppedClaims).toBe(2);
      expect(await lock.claim('e', 60_000)).toBe(false);
      expect(await lock.claim('c', 60_000)).toBe(false);
      expect(await lock.claim('a', 60_000)).toBe(true);
      expect(lock.droppedClaims).toBe(3);
    });

    it('A3 that ended make room without being counted as dropped', async () => {
      const lock = new InProcessRefreshLock({ clock, maxClaims: 3 });
      for (let i = 0; i < 100; i++) {
        await lock.claim(`event:${i}`, 1_000);
        await clock.advance(500);
      }
      expect(lock.droppedClaims).toBe(0);
      const { claims } = lock as unknown as { claims: Map<string, unknown> };
      expect(claims.size).toBeLessThanOrEqual(3);
    });

    it('A3 that ended behind one that goes on are dropped without being counted', async () => {
      const lock = new InProcessRefreshLock({ clock, maxClaims: 2 });
      await lock.claim('long', 60_000);
      await lock.claim('short', 1_000);
      await clock.advance(2_000);
      expect(await lock.claim('short', 1_000)).toBe(true);
      expect(lock.droppedClaims).toBe(0);
    });

    it.each([[0], [-1], [1.5], [Number.NaN], [Infinity]])('A3 refuse %p as maxClaims', (maxClaims) => {
      expect(() => new InProcessRefreshLock({ maxClaims })).toThrow(
        expect.objectContaining({ code: 'ERR_FEISHU_CONFIG_INVALID' }),
      );
    });

    it('C5 refuse a ttl that is not a duration', async () => {
      const claiming = new InProcessRefreshLock({ clock }).claim('event:1', Number.NaN);
      await expect(claiming).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    });
  });
});
