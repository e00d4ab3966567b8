import { outage, slotOf, SOME_FLIGHT, tokenOf } from '../../../test/fixtures/token-slots.js';
import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { TestClock } from '../../testing/test-clock.js';
import { type TokenFlight } from '../renewal/token-flight.js';
import { TokenSlot } from './token-slot.js';
import { fingerprintOf } from './value-fingerprint.js';

const MINUTE = 60_000;

describe('TokenSlot', () => {
  let clock: TestClock;
  let slot: TokenSlot;
  beforeEach(() => {
    clock = new TestClock();
    slot = slotOf(clock, 'tenant_a');
  });

  it('has no failure, pause, rejection or flight at first', () => {
    expect(slot.nextAttemptAt).toBe(-Infinity);
    expect(slot.failFastUntil).toBe(-Infinity);
    expect(slot.renewalFailed).toBe(false);
    expect(slot.lastFailure).toBeUndefined();
    expect(slot.pause()).toBeUndefined();
    expect(slot.rejected).toBeUndefined();
    expect(slot.unshared).toBeUndefined();
    expect(slot.flight).toBeUndefined();
    expect(slot.isPinned()).toBe(false);
    expect(slot.state()).toMatchObject({ consecutiveFailures: 0, lastError: undefined, usable: false });
  });

  it('keeps its failures apart from those of other slots', () => {
    const other = slotOf(clock, 'tenant_b');
    slot.failed(outage(clock), true, 0);
    slot.markUnshared('t');
    slot.contended(0);
    expect(other.state()).toMatchObject({ consecutiveFailures: 0, lastError: undefined });
    expect(other.nextAttemptAt).toBe(-Infinity);
    expect(other.unshared).toBeUndefined();
    expect(slotOf(clock).failFastUntil).toBe(-Infinity);
  });

  it('knows the tenant of a tenant token, and none for a token of the app itself', () => {
    expect([slot.tenantKey, slot.isOwn]).toEqual(['tenant_a', false]);
    expect([slotOf(clock).tenantKey, slotOf(clock).isOwn]).toEqual([undefined, true]);
    expect(slotOf(clock, '', 'app').tenantKey).toBeUndefined();
  });

  it('pauses background attempts after a failure while a token is held, and does not refuse callers', () => {
    slot.hold(tokenOf(clock, 'token'));
    const told = slot.failed(outage(clock, 5_000), true, 0);
    expect(slot.nextAttemptAt).toBe(clock.monotonic() + 5_000);
    expect(slot.failFastUntil).toBe(-Infinity);
    expect(slot.renewalFailed).toBe(true);
    expect(told.retryAt?.getTime()).toBe(clock.now() + 5_000);
    expect(slot.pause()).toMatchObject({ error: told, until: clock.monotonic() + 5_000 });
  });

  it('refuses callers after a failure without a token, if a caller waited for the flight', () => {
    slot.failed(outage(clock, 5_000), false, 0);
    expect(slot.freshness()).toBe('empty');
    slot.failed(outage(clock, 5_000), true, 0);
    expect(slot.freshness()).toBe('failing');
  });

  it.each([
    ['a rate limit', new FeishuAuthError('ERR_FEISHU_RATE_LIMITED', ''), true],
    ['rejected credentials', new FeishuAuthError('ERR_FEISHU_CREDENTIALS_REJECTED', ''), true],
    ['a rejected tenant', new FeishuAuthError('ERR_FEISHU_TENANT_REJECTED', ''), true],
    ['an outage', new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', ''), false],
  ])('after %s, the pause is binding: %s', (_, error, isBinding) => {
    slot.failed(error, true, 0);
    expect(slot.pause()?.isBinding).toBe(isBinding);
  });

  it('forgets its failures after a success, except the last one as history', () => {
    slot.hold(tokenOf(clock, 'token'));
    slot.failed(outage(clock, 5_000), true, 0);
    slot.contended(0);
    slot.succeeded();
    expect(slot.pause()).toBeUndefined();
    expect(slot.nextAttemptAt).toBe(-Infinity);
    expect(slot.renewalFailed).toBe(false);
    expect(slot.state()).toMatchObject({
      consecutiveFailures: 0,
      lastError: { code: 'ERR_FEISHU_RATE_LIMITED', atWallMs: clock.now() },
    });
  });

  it('has no pause after its time', async () => {
    slot.failed(outage(clock, 5_000), true, 0);
    await clock.advance(4_999);
    expect(slot.pause()).toBeDefined();
    await clock.advance(1);
    expect(slot.pause()).toBeUndefined();
  });

  it('looks at a contended key at growing distances', () => {
    const pauses = Array.from({ length: 8 }, () => {
      slot.contended(0);
      return slot.nextAttemptAt - clock.monotonic();
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('lets only its current flight end', () => {
    slot.beginFlight(SOME_FLIGHT);
    expect(slot.endFlight({} as TokenFlight)).toBe(false);
    expect(slot.flight).toBe(SOME_FLIGHT);
    expect(slot.endFlight(SOME_FLIGHT)).toBe(true);
    expect(slot.flight).toBeUndefined();
    expect(slot.endFlight(SOME_FLIGHT)).toBe(false);
  });

  it('raises the generation and drops token and flight when it is superseded', () => {
    slot.hold(tokenOf(clock, 'token'));
    slot.beginFlight(SOME_FLIGHT);
    expect(slot.supersede()).toBe(SOME_FLIGHT);
    expect(slot.generation).toBe(1);
    expect(slot.kept).toBeUndefined();
    expect(slot.flight).toBeUndefined();
    expect(slot.supersede()).toBeUndefined();
  });

  it('remembers the last five rejected values', () => {
    for (const fingerprint of ['a', 'b', 'c', 'd', 'e', 'f']) slot.reject(fingerprint, Infinity);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((it) => slot.isRejected(it))).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  it('counts a value that is rejected twice in a row once', () => {
    for (const fingerprint of ['a', 'b', 'b', 'b', 'b', 'b']) slot.reject(fingerprint, Infinity);
    expect(slot.isRejected('a')).toBe(true);
  });

  it('no longer rejects a confirmed value, for as long as it is confirmed', async () => {
    slot.reject('a', Infinity);
    slot.confirm('a', clock.monotonic() + 1_000);
    expect(slot.isRejected('a')).toBe(false);
    expect(slot.isConfirmed('a')).toBe(true);
    expect(slot.isConfirmed('b')).toBe(false);
    await clock.advance(1_000);
    expect(slot.isConfirmed('a')).toBe(false);
  });

  it('reports an unshared token only while it is held', () => {
    slot.hold(tokenOf(clock, 'token-1'));
    slot.markUnshared('token-1');
    expect(slot.state().unshared).toBe(true);
    slot.hold(tokenOf(clock, 'token-2'));
    expect(slot.state()).not.toHaveProperty('unshared');
    slot.markShared();
    expect(slot.unshared).toBeUndefined();
  });

  it('knows the longest-lived token that Feishu has', () => {
    const [first, second] = [tokenOf(clock, 'first'), tokenOf(clock, 'second')];
    slot.settleFor(first);
    expect(slot.isLongestLived(first)).toBe(true);
    expect(slot.isLongestLived(second)).toBe(false);
  });

  it('knows when the value held before ends, also after the wall clock was set back', async () => {
    const first = tokenOf(clock, 'first');
    slot.hold(first);
    await clock.advance(MINUTE);
    slot.hold(tokenOf(clock, 'second'));
    clock.jumpWall(-30 * MINUTE);
    expect(slot.knownEnd(fingerprintOf('first'))).toBe(first.expiresAt - 30 * MINUTE);
    expect(slot.knownEnd('another')).toBe(Infinity);
  });

  it('counts a read while a renewal is due as a stale hit, and none when the token ended', async () => {
    const counters = { hits: 0, staleServed: 0 };
    const counted = new TokenSlot({ kind: 'tenant', identity: '' }, 'key', counters, clock);
    counted.hold(tokenOf(clock, 'token'));
    expect(counted.readFresh()?.value).toBe('token');
    expect(counters).toEqual({ hits: 1, staleServed: 0 });
    await clock.advance(95 * MINUTE);
    expect(counted.readFresh()).toBeUndefined();
    expect(counted.readStale()?.value).toBe('token');
    expect(counters).toEqual({ hits: 2, staleServed: 1 });
    expect(counted.readAt).toBe(clock.monotonic());
    await clock.advance(25 * MINUTE);
    expect(counted.readStale()).toBeUndefined();
    expect(counters).toEqual({ hits: 2, staleServed: 1 });
  });
});
