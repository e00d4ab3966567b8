import { InProcessRefreshLock } from '../lock/in-process-refresh-lock.js';
import { RefreshLock, type RefreshLease } from '../lock/refresh-lock.js';
import { TestClock } from '../testing/test-clock.js';
import { EventDeduplicator } from './event-deduplicator.js';

const HOUR = 3_600_000;

class BrokenLock extends RefreshLock {
  answer: () => Promise<RefreshLease | undefined> = () => Promise.reject(new Error('ECONNREFUSED'));

  acquire(): Promise<RefreshLease | undefined> {
    return this.answer();
  }
}

describe('EventClaims', () => {
  let clock: TestClock;
  let unguarded: number;
  beforeEach(() => {
    clock = new TestClock();
    unguarded = 0;
  });

  function claimsOf(
    lock: RefreshLock = new InProcessRefreshLock({ clock }),
    maxSkewMs = 8 * HOUR,
  ): EventDeduplicator {
    return new EventDeduplicator({
      lock,
      clock,
      maxSkewMs,
      keyOf: (claim) => `{app}:${claim}`,
      onUnguarded: () => void unguarded++,
    });
  }

  it('gives a claim once, ids and proofs apart', async () => {
    const claims = claimsOf();
    expect(await claims.claimEvent('a')).toBe(true);
    expect(await claims.claimEvent('a')).toBe(false);
    expect(await claims.claimProof('a')).toBe(true);
    expect(await claims.claimProof('a')).toBe(false);
    expect(await claims.claimEvent('b')).toBe(true);
  });

  it('gives it to one of two processes', async () => {
    const lock = new InProcessRefreshLock({ clock });
    const [first, second] = [claimsOf(lock), claimsOf(lock)];
    const claims = await Promise.all([first.claimEvent('a'), second.claimEvent('a'), first.claimEvent('a')]);
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await second.claimEvent('a')).toBe(false);
  });

  it.each([
    [8 * HOUR, 'longer than the window', 8 * HOUR + 5 * 60_000],
    [60_000, 'an id longer than the last redelivery', 6 * HOUR + 21 * 60_000],
  ])('with a window of %i ms keeps %s', async (maxSkewMs, _what, until) => {
    const lock = new InProcessRefreshLock({ clock });
    await claimsOf(lock, maxSkewMs).claimEvent('a');
    await clock.advance(until);
    // Another process, which remembers nothing itself.
    expect(await claimsOf(lock, maxSkewMs).claimEvent('a')).toBe(false);
  });

  it('keeps a proof for as long as its timestamp may be taken', async () => {
    const lock = new InProcessRefreshLock({ clock });
    // 5 min ahead of us at first; too old 8 h after its own time.
    await claimsOf(lock).claimProof('p');
    await clock.advance(8 * HOUR + 5 * 60_000);
    expect(await claimsOf(lock).claimProof('p')).toBe(false);
  });

  it.each([
    ['refuses to be asked', (): Promise<never> => Promise.reject(new Error('ECONNREFUSED'))],
    [
      'throws',
      (): Promise<never> => {
        throw new TypeError('not a function');
      },
    ],
    ['hangs', (): Promise<never> => new Promise(() => undefined)],
  ])('decides by itself, once, when the lock %s', async (_name, answer) => {
    const lock = new BrokenLock();
    lock.answer = answer;
    const claims = claimsOf(lock);
    const first = claims.claimEvent('a');
    const second = claims.claimEvent('a');
    await clock.advance(500);
    expect(await Promise.all([first, second])).toEqual([true, false]);
    expect(unguarded).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
