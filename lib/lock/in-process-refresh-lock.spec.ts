import { refreshLockConformance } from '../testing/refresh-lock-conformance.js';
import { TestClock } from '../testing/test-clock.js';
import { InProcessRefreshLock } from './in-process-refresh-lock.js';
import { type RefreshLease } from './refresh-lock.js';

const KEY = 'feishu-auth:v1:{a}:lock';

describe('InProcessRefreshLock', () => {
  const shared = new InProcessRefreshLock();
  refreshLockConformance(() => shared);

  describe('by the clock', () => {
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

    it('lets a lease run out at its ttl, and not before', async () => {
      const lease = await acquired();
      await clock.advance(9_999);
      expect(lease.isHeld()).toBe(true);
      expect(await acquire()).toBeUndefined();
      await clock.advance(1);
      expect(lease.isHeld()).toBe(false);
      expect((await acquired()).isHeld()).toBe(true);
    });

    it('does not care where the wall clock jumps to', async () => {
      const lease = await acquired();
      clock.jumpWall(3_600_000);
      expect(lease.isHeld()).toBe(true);
      expect(await acquire()).toBeUndefined();
    });

    it('gives up waiting after waitMs, and not before', async () => {
      await acquired();
      let answer: unknown = 'none yet';
      const waiting = acquire(2_000).then((lease) => (answer = lease));
      await clock.advance(1_999);
      expect(answer).toBe('none yet');
      await clock.advance(1);
      await waiting;
      expect(answer).toBeUndefined();
    });

    it('gives the key to who waits as soon as it is released', async () => {
      const lease = await acquired();
      const waiting = acquire(2_000);
      await clock.advance(500);
      await lease.release();
      expect((await waiting)?.isHeld()).toBe(true);
      expect(lease.isHeld()).toBe(false);
    });

    it('gives the key to who waits when the lease runs out', async () => {
      await acquired();
      await clock.advance(9_000);
      const waiting = acquire(2_000);
      await clock.advance(1_000);
      expect((await waiting)?.isHeld()).toBe(true);
    });

    it('gives it to one of those who wait; the others go on waiting, no longer than they wanted', async () => {
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

    it('passes the key along a queue', async () => {
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
      expect(new Set(order)).toEqual(new Set([1, 2, 3, 4]));
    });

    it('counts a new ttl from when it was given, not from when it was asked for', async () => {
      const first = await acquired();
      const waiting = acquire(9_000);
      await clock.advance(9_000 - 1);
      await first.release();
      const next = await waiting;
      await clock.advance(9_999);
      expect(next?.isHeld()).toBe(true);
    });

    it('does not even look when the signal is aborted already', async () => {
      expect(await acquire(2_000, AbortSignal.abort())).toBeUndefined();
      expect((await acquired()).isHeld()).toBe(true);
    });

    it('stops waiting at the abort, without leaving a listener behind', async () => {
      await acquired();
      const controller = new AbortController();
      const waiting = acquire(2_000, controller.signal);
      await TestClock.settle();
      controller.abort();
      expect(await waiting).toBeUndefined();
    });

    it('holds a claim that nobody releases for its ttl', async () => {
      await lock.acquire('event:1', { ttlMs: 60_000, waitMs: 0 });
      await clock.advance(59_999);
      expect(await lock.acquire('event:1', { ttlMs: 60_000, waitMs: 0 })).toBeUndefined();
      expect(await lock.acquire('event:2', { ttlMs: 60_000, waitMs: 0 })).toBeDefined();
    });

    it('does not pile up claims that ran out', async () => {
      for (let i = 0; i < 100; i++) {
        await lock.acquire(`event:${i}`, { ttlMs: 1_000, waitMs: 0 });
        await clock.advance(100);
      }
      const { leases } = lock as unknown as { leases: Map<string, unknown> };
      expect(leases.size).toBeLessThanOrEqual(11);
    });
  });
});
