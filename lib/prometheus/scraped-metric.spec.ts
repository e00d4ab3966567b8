import { Registry } from 'prom-client';
import { DurationBuckets } from '../metrics/duration-buckets.js';
import { METRIC_DEFINITIONS, readInstance, prometheusName } from '../telemetry/metric-definitions.js';
import { type InstanceTelemetry } from '../telemetry/instance-telemetry.js';
import { TokenMetrics } from '../metrics/token-metrics.js';
import { TestClock } from '../testing/test-clock.js';
import { ScrapedMetric } from './scraped-metric.js';

function instance(name: string): InstanceTelemetry & { readonly counted: TokenMetrics } {
  const counted = new TokenMetrics({ instance: name, clock: new TestClock(0) });
  const waits = new DurationBuckets();
  waits.record(20);
  waits.record(20_000);
  return {
    instance: name,
    counted,
    metrics: () => counted.snapshot(),
    health: () => ({
      status: 'degraded',
      instance: name,
      kinds: {
        app: {
          tokens: 0,
          hitRate: 0,
          refreshSuccessRate: 0,
          consecutiveFailures: 0,
          lastError: null,
          soonestExpiryInSeconds: null,
        },
        user: {
          tokens: 0,
          hitRate: 0,
          refreshSuccessRate: 0,
          consecutiveFailures: 0,
          lastError: null,
          soonestExpiryInSeconds: null,
        },
        tenant: {
          tokens: 1,
          hitRate: 0,
          refreshSuccessRate: 0,
          consecutiveFailures: 0,
          lastError: null,
          soonestExpiryInSeconds: 90,
        },
      },
      store: { breaker: 'closed' },
      prewarm: { lastSweepAt: null },
    }),
    waitDurations: () => [{ kind: 'tenant', durations: waits.read() }],
    refreshDurations: () => [],
    tokens: () => [],
    storeOperations: () => [{ operation: 'write', result: 'timeout', count: 3 }],
  };
}

function scrape(registry: Registry, instances: readonly InstanceTelemetry[]): Promise<string> {
  for (const definition of METRIC_DEFINITIONS) {
    registry.registerMetric(new ScrapedMetric(definition, () => instances.map(readInstance)) as never);
  }
  return registry.metrics();
}

describe('ScrapedMetric in a prom-client registry', () => {
  it('writes one series for each label set of each instance', async () => {
    const [eu, us] = [instance('eu'), instance('us')];
    eu.counted.readCounters('tenant').hits = 5;
    eu.counted.readCounters('tenant').staleServed = 2;
    const lines = (await scrape(new Registry(), [eu, us])).split('\n');

    expect(lines).toEqual(
      expect.arrayContaining([
        'feishu_auth_token_requests_total{feishu_instance="eu",kind="tenant",outcome="hit"} 3',
        'feishu_auth_token_requests_total{feishu_instance="eu",kind="tenant",outcome="stale"} 2',
        'feishu_auth_token_requests_total{feishu_instance="us",kind="tenant",outcome="hit"} 0',
        'feishu_auth_health{feishu_instance="eu",state="degraded"} 1',
        'feishu_auth_health{feishu_instance="eu",state="up"} 0',
        'feishu_auth_token_remaining_seconds{feishu_instance="us",kind="tenant"} 90',
        'feishu_auth_store_operations_total{feishu_instance="us",operation="write",result="timeout"} 3',
        'feishu_auth_store_breaker_state{feishu_instance="us",state="closed"} 1',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('# TYPE feishu_auth_tokens '))).toHaveLength(1);
  });

  it('writes cumulative histogram buckets that end at +Inf', async () => {
    const lines = (await scrape(new Registry(), [instance('default')])).split('\n');
    const series = 'feishu_instance="default",kind="tenant"';
    const metric = 'feishu_auth_token_wait_duration_seconds';
    expect(lines).toEqual(
      expect.arrayContaining([
        `${metric}_bucket{${series},le="0.01"} 0`,
        `${metric}_bucket{${series},le="0.025"} 1`,
        `${metric}_bucket{${series},le="10"} 1`,
        `${metric}_bucket{${series},le="+Inf"} 2`,
        `${metric}_sum{${series}} 20.02`,
        `${metric}_count{${series}} 2`,
      ]),
    );
  });

  it('writes OpenMetrics with one _total suffix', async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const text = await scrape(registry, [instance('default')]);
    expect(text).toContain('# TYPE feishu_auth_token_requests counter\n');
    expect(text).toContain('feishu_auth_token_requests_total{');
    expect(text).not.toContain('_total_total');
    expect(text).toMatch(/# EOF\n$/);
  });

  it('has a Prometheus name for each definition, and no two are the same', () => {
    const names = METRIC_DEFINITIONS.map(prometheusName);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^feishu_auth_[a-z_]+$/);
  });
});
