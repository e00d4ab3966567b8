import { TestClock } from '../testing/test-clock.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { TokenMetrics } from './token-metrics.js';

const NO_DURATIONS = { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };

function slot(kind: 'app' | 'tenant', usable: boolean): SlotState {
  return {
    kind,
    usable,
    tenantKey: undefined,
    expiresInMs: usable ? 1_000 : undefined,
    lifeMs: undefined,
    consecutiveFailures: 0,
    lastError: undefined,
  };
}

describe('TokenMetrics', () => {
  let clock: TestClock;
  let metrics: TokenMetrics;

  beforeEach(() => {
    clock = new TestClock(Date.UTC(2026, 0, 1));
    metrics = new TokenMetrics({ instance: 'default', clock });
  });

  it('is all zeros at the start, with nothing attached', async () => {
    await clock.advance(1_500);
    const kind = {
      requests: 0,
      hits: 0,
      staleServed: 0,
      waits: 0,
      failedFast: 0,
      hitRate: 0,
      storeHits: 0,
      misses: 0,
      waitMs: NO_DURATIONS,
      refresh: {
        attempts: 0,
        success: 0,
        noop: 0,
        failure: 0,
        failuresByCode: {},
        successRate: 0,
        latencyMs: NO_DURATIONS,
      },
      invalidations: 0,
      tokens: 0,
    };
    expect(metrics.snapshot()).toEqual({
      instance: 'default',
      since: '2026-01-01T00:00:00.000Z',
      at: '2026-01-01T00:00:01.500Z',
      kinds: { app: kind, tenant: kind, user: kind },
      lock: { acquired: 0, contended: 0, failedOpen: 0, waitMs: NO_DURATIONS },
      store: { reads: 0, writes: 0, errors: 0, timeouts: 0, breaker: 'closed' },
      prewarm: { sweeps: 0, refreshed: 0, failed: 0, late: 0, skipped: 0 },
    });
    expect(metrics.snapshot().prewarm).not.toHaveProperty('lastSweepAt');
  });

  it('counts reads in place, a kind apart from the other', () => {
    const counters = metrics.readCounters('tenant');
    counters.hits += 7;
    counters.staleServed += 2;
    metrics.waited('tenant', 40);
    metrics.failedFast('tenant');
    metrics.failedFast('tenant');

    expect(metrics.readCounters('tenant')).toBe(counters);
    const { tenant, app } = metrics.snapshot().kinds;
    expect(tenant).toMatchObject({
      requests: 10,
      hits: 7,
      staleServed: 2,
      waits: 1,
      failedFast: 2,
      hitRate: 0.7,
    });
    expect(tenant.waitMs).toMatchObject({ count: 1, max: 40 });
    expect(app.requests).toBe(0);
  });

  it('counts requests to the platform by outcome', () => {
    metrics.attempted('app', 'success', 10);
    metrics.attempted('app', 'success', 20);
    metrics.attempted('app', 'noop', 30);
    metrics.attempted('app', 'ERR_FEISHU_RATE_LIMITED', 40);
    metrics.attempted('app', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 5_000);
    metrics.attempted('app', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 5_000);

    const { refresh } = metrics.snapshot().kinds.app;
    expect(refresh).toMatchObject({ attempts: 6, success: 2, noop: 1, failure: 3, successRate: 0.5 });
    expect(refresh.failuresByCode).toEqual({
      ERR_FEISHU_RATE_LIMITED: 1,
      ERR_FEISHU_PLATFORM_UNAVAILABLE: 2,
    });
    expect(refresh.latencyMs).toMatchObject({ count: 6, max: 5_000 });
  });

  it('counts flights, invalidations and locks', () => {
    metrics.adopted('tenant');
    metrics.missed('tenant');
    metrics.missed('tenant');
    metrics.invalidated('tenant');
    metrics.lockAcquired(2);
    metrics.lockContended();
    metrics.lockFailedOpen(2_000);

    const { kinds, lock } = metrics.snapshot();
    expect(kinds.tenant).toMatchObject({ requests: 0, storeHits: 1, misses: 2, invalidations: 1 });
    expect(lock).toMatchObject({ acquired: 1, contended: 1, failedOpen: 1 });
    expect(lock.waitMs).toMatchObject({ count: 2, mean: 1_001, max: 2_000 });
  });

  it('sums up sweeps and remembers when the last one ended', async () => {
    metrics.sweepFinished({ refreshed: 3, failed: 1 });
    metrics.sweepSkipped();
    await clock.advance(30_000);
    metrics.renewedLate();
    metrics.renewedLate();
    metrics.sweepFinished({ refreshed: 1, failed: 0 });

    expect(metrics.snapshot().prewarm).toEqual({
      sweeps: 2,
      refreshed: 4,
      failed: 1,
      late: 2,
      skipped: 1,
      lastSweepAt: '2026-01-01T00:00:30.000Z',
    });
  });

  it('reads the store and the usable tokens when asked', () => {
    const store = { reads: 1, writes: 2, errors: 3, timeouts: 4, breaker: 'closed' as 'closed' | 'open' };
    const slots = [slot('tenant', true), slot('tenant', true), slot('tenant', false), slot('app', true)];
    metrics.attach({ store, slots: { states: () => slots } });
    store.reads = 9;
    store.breaker = 'open';

    const snapshot = metrics.snapshot();
    expect(snapshot.store).toEqual({ reads: 9, writes: 2, errors: 3, timeouts: 4, breaker: 'open' });
    expect(snapshot.kinds.tenant.tokens).toBe(2);
    expect(snapshot.kinds.app.tokens).toBe(1);
  });

  it('gives away copies, as plain JSON', () => {
    metrics.attempted('app', 'ERR_FEISHU_RATE_LIMITED', 1);
    metrics.sweepFinished({ refreshed: 1, failed: 0 });
    const before = metrics.snapshot();
    const copy = structuredClone(before);
    before.kinds.app.refresh.failuresByCode['ERR_FEISHU_RATE_LIMITED'] = 99;
    before.prewarm.sweeps = 99;
    before.lock.acquired = 99;

    expect(metrics.snapshot()).toEqual(copy);
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
  });
});
