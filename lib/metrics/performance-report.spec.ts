import { TestClock } from '../testing/test-clock.js';
import { performanceReport } from './performance-report.js';
import { TokenMetrics } from './token-metrics.js';
import { type TokenMetricsSnapshot } from './token-metrics-snapshot.js';

function newMetrics(): { metrics: TokenMetrics; clock: TestClock } {
  const clock = new TestClock(Date.UTC(2026, 0, 1));
  return { metrics: new TokenMetrics({ instance: 'default', clock }), clock };
}

async function busySnapshot(): Promise<TokenMetricsSnapshot> {
  const { metrics, clock } = newMetrics();
  metrics.attach({
    store: { reads: 14, writes: 12, errors: 1, timeouts: 1, breaker: 'half-open' },
    slots: { states: () => [] },
  });
  const reads = metrics.readCounters('tenant');
  reads.hits = 1_204_331;
  reads.staleServed = 12;
  for (let call = 1; call <= 10; call++) metrics.waited('tenant', call * 10);
  metrics.failedFast('tenant');
  for (let renewal = 0; renewal < 10; renewal++) metrics.attempted('tenant', 'success', 80);
  metrics.attempted('tenant', 'noop', 80);
  metrics.attempted('tenant', 'ERR_FEISHU_RATE_LIMITED', 12);
  metrics.attempted('tenant', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 5_000);
  metrics.attempted('tenant', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 5_000);
  metrics.lockAcquired(0.4);
  metrics.adopted('tenant');
  await clock.advance(5_400_000);
  metrics.renewedLate();
  metrics.renewedLate();
  metrics.sweepFinished({ refreshed: 10, failed: 1 });
  return metrics.snapshot();
}

describe('performanceReport', () => {
  it('shows targets, reads, renewals, durations and upkeep on one screen', async () => {
    expect(performanceReport(await busySnapshot()).split('\n')).toEqual([
      'Feishu tokens of instance "default"',
      '2026-01-01 00:00:00 to 2026-01-01 01:30:00 UTC (1 h 30 min)',
      '',
      'TARGETS          wanted       is',
      'hit rate         > 80 %  99.99 %  met',
      'refresh success  > 95 %  78.57 %  MISSED',
      '',
      'READS                reads       hits  hit rate  stale  waited  failed fast  held',
      'tenant           1,204,342  1,204,331   99.99 %     12      10            1     0',
      '',
      'RENEWALS         attempts  new  unchanged  failed  success  from store  rejected by API',
      'tenant                 14   10          1       3  78.57 %           1                0',
      '  tenant failed 2 x ERR_FEISHU_PLATFORM_UNAVAILABLE',
      '  tenant failed 1 x ERR_FEISHU_RATE_LIMITED',
      '',
      'MILLISECONDS     count   mean   p50     p90     p99     max',
      'tenant wait         10   55.0  50.2    90.1   100.0   100.0',
      'tenant refresh      14  778.0  80.4  5000.0  5000.0  5000.0',
      'lock wait            1    0.4   0.4     0.4     0.4     0.4',
      '',
      'PREWARM          2 late renewals, 10 renewed, 1 failed',
      '                 1 sweeps, 0 skipped, last 2026-01-01 01:30:00 UTC',
      'LOCK             1 acquired, 0 left to others, 0 done without',
      'STORE            14 reads, 12 writes',
      '                 1 errors, 1 timeouts, breaker half-open',
    ]);
  });

  it('shows "no data yet" and not "MISSED" before the first read', () => {
    const report = performanceReport(newMetrics().metrics.snapshot());
    expect(report.split('\n')).toEqual([
      'Feishu tokens of instance "default"',
      '2026-01-01 00:00:00 to 2026-01-01 00:00:00 UTC (0 s)',
      '',
      'TARGETS          wanted  is',
      'hit rate         > 80 %   -  no data yet',
      'refresh success  > 95 %   -  no data yet',
      '',
      'PREWARM          0 late renewals, 0 renewed, 0 failed',
      '                 0 sweeps, 0 skipped, last none yet',
      'LOCK             0 acquired, 0 left to others, 0 done without',
      'STORE            0 reads, 0 writes',
      '                 0 errors, 0 timeouts, breaker closed',
    ]);
  });

  it('shows a kind that was renewed though nobody has read it', () => {
    const { metrics } = newMetrics();
    metrics.attempted('app', 'success', 80);
    const report = performanceReport(metrics.snapshot());
    expect(report).toMatch(/^app +0 +0 +- /m);
    expect(report).toMatch(/^hit rate .*no data yet$/m);
    expect(report).toMatch(/^refresh success .* 100\.00 % {2}met$/m);
    expect(report).not.toMatch(/^tenant/m);
  });

  it.each([
    { hits: 80, of: 100, line: /^hit rate .* 80\.00 % {2}MISSED$/m },
    { hits: 81, of: 100, line: /^hit rate .* 81\.00 % {2}met$/m },
    { hits: 0, of: 100, line: /^hit rate .* 0\.00 % {2}MISSED$/m },
    { hits: 100, of: 100, line: /^hit rate .* 100\.00 % {2}met$/m },
    { hits: 999_999, of: 1_000_000, line: /^hit rate .* 99\.99 % {2}met$/m },
  ])('$hits hits of $of reads', ({ hits, of, line }) => {
    const { metrics } = newMetrics();
    metrics.readCounters('tenant').hits = hits;
    for (let call = hits; call < of; call++) metrics.failedFast('tenant');
    expect(performanceReport(metrics.snapshot())).toMatch(line);
  });

  it.each([
    { success: 19, line: /^refresh success .* 95\.00 % {2}MISSED$/m },
    { success: 20, line: /^refresh success .* 95\.23 % {2}met$/m },
  ])('$success renewals and one failure', ({ success, line }) => {
    const { metrics } = newMetrics();
    for (let renewal = 0; renewal < success; renewal++) metrics.attempted('app', 'noop', 1);
    metrics.attempted('app', 'ERR_FEISHU_PLATFORM_UNAVAILABLE', 1);
    expect(performanceReport(metrics.snapshot())).toMatch(line);
  });

  it('stays within 100 columns after billions of reads', async () => {
    const snapshot = await busySnapshot();
    const { tenant } = snapshot.kinds;
    Object.assign(tenant, { requests: 1e9, hits: 1e9, staleServed: 1e6, waits: 1e6, failedFast: 1e6 });
    Object.assign(tenant.refresh, { attempts: 1e6, success: 1e6, noop: 1e6, failure: 1e6 });
    Object.assign(tenant.waitMs, { count: 1e9, p99: 60_000, max: 60_000 });
    Object.assign(snapshot.store, { reads: 1e9, writes: 1e9, errors: 1e9, timeouts: 1e9 });
    Object.assign(snapshot.lock, { acquired: 1e9, contended: 1e9, failedOpen: 1e9 });
    Object.assign(snapshot.prewarm, { sweeps: 1e9, refreshed: 1e9, failed: 1e9, late: 1e9, skipped: 1e9 });
    const widths = performanceReport(snapshot)
      .split('\n')
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(100);
  });

  it.each([
    [0, '0 s'],
    [-3_600, '0 s'],
    [59, '59 s'],
    [60, '1 min 0 s'],
    [3_599, '59 min 59 s'],
    [3_600, '1 h 0 min'],
    [90_000, '1 d 1 h'],
  ])('a period of %d s is %s', (seconds, text) => {
    const { metrics, clock } = newMetrics();
    clock.jumpWall(seconds * 1_000);
    expect(performanceReport(metrics.snapshot())).toContain(` UTC (${text})\n`);
  });
});
