import { type BucketedDurations } from '../metrics/duration-buckets.js';
import { type TokenKindMetrics, type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type FeishuAuthHealthDetails } from '../health/health-details.js';
import { type HealthVerdict } from '../health/health-verdict.js';
import { type InstanceTelemetry } from './instance-telemetry.js';

/** Attributes besides `feishu.instance`, by their OpenTelemetry names. */
export type MetricAttributes = Readonly<Record<string, string>>;

/** One value of a counter or gauge. */
export interface Sample {
  readonly attributes: MetricAttributes;
  readonly value: number;
}

/** One series of a histogram. */
export interface HistogramSample {
  readonly attributes: MetricAttributes;
  readonly durations: BucketedDurations;
}

/** What one scrape reads of an instance: its snapshot and its health are taken once. */
export interface InstanceReading {
  readonly telemetry: InstanceTelemetry;
  readonly metrics: TokenMetricsSnapshot;
  readonly health: HealthVerdict & FeishuAuthHealthDetails;
}

interface MetricBase {
  /** The OpenTelemetry name. */
  readonly name: string;
  /** UCUM. Braces are annotations, which exporters leave out of the name. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
}

/** A counter or gauge that is read when an exporter asks. */
export interface ObservableDefinition extends MetricBase {
  readonly type: 'counter' | 'gauge';
  read(reading: InstanceReading): readonly Sample[];
}

/** A histogram of seconds. */
export interface HistogramDefinition extends MetricBase {
  readonly type: 'histogram';
  read(reading: InstanceReading): readonly HistogramSample[];
}

export type MetricDefinition = ObservableDefinition | HistogramDefinition;

export function readInstance(telemetry: InstanceTelemetry): InstanceReading {
  return { telemetry, metrics: telemetry.metrics(), health: telemetry.health() };
}

/** One gauge of 0 or 1 a state, so that a graph shows the state over time. */
function oneOf(states: readonly string[], current: string): Sample[] {
  return states.map((state) => ({ attributes: { state }, value: state === current ? 1 : 0 }));
}

function counted(attribute: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ attributes: { [attribute]: name }, value }));
}

function byKind(
  { metrics }: InstanceReading,
  read: (kind: TokenKindMetrics) => Readonly<Record<string, number>>,
  attribute: string,
): Sample[] {
  return Object.entries(metrics.kinds).flatMap(([kind, of]) =>
    counted(attribute, read(of)).map(({ attributes, value }) => ({
      attributes: { kind, ...attributes },
      value,
    })),
  );
}

/** Every exported metric. The order is that of the output. */
export const METRIC_DEFINITIONS: readonly MetricDefinition[] = [
  {
    name: 'feishu.auth.health',
    type: 'gauge',
    unit: '{state}',
    description: 'Health of the instance: 1 for the state it is in, 0 for the others.',
    attributes: ['state'],
    read: ({ health }) => oneOf(['up', 'degraded', 'down'], health.status),
  },
  {
    name: 'feishu.auth.token.requests',
    type: 'counter',
    unit: '{request}',
    description: 'Requests for a token by outcome. The outcomes add up to all requests.',
    attributes: ['kind', 'outcome'],
    read: (reading) =>
      byKind(
        reading,
        ({ hits, staleServed, waits, failedFast }) => ({
          hit: hits - staleServed,
          stale: staleServed,
          wait: waits,
          failed_fast: failedFast,
        }),
        'outcome',
      ),
  },
  {
    name: 'feishu.auth.token.wait.duration',
    type: 'histogram',
    unit: 's',
    description: 'How long callers waited for a renewal.',
    attributes: ['kind'],
    read: ({ telemetry }) =>
      telemetry.waitDurations().map(({ kind, durations }) => ({ attributes: { kind }, durations })),
  },
  {
    name: 'feishu.auth.refresh.duration',
    type: 'histogram',
    unit: 's',
    description: 'Duration of requests to Feishu for a token. The count is the number of attempts.',
    attributes: ['kind', 'result', 'error.type'],
    read: ({ telemetry }) =>
      telemetry.refreshDurations().map(({ kind, result, errorType, durations }) => ({
        attributes: { kind, result, ...(errorType !== undefined && { 'error.type': errorType }) },
        durations,
      })),
  },
  {
    name: 'feishu.auth.token.remaining',
    type: 'gauge',
    unit: 's',
    description: 'Seconds until the first held token of the kind ends. Absent while none is held.',
    attributes: ['kind'],
    read: ({ health }) =>
      Object.entries(health.kinds).flatMap(([kind, { soonestExpiryInSeconds: value }]) =>
        value === null ? [] : [{ attributes: { kind }, value }],
      ),
  },
  {
    name: 'feishu.auth.tokens',
    type: 'gauge',
    unit: '{token}',
    description: 'Usable tokens in the memory of this process.',
    attributes: ['kind'],
    read: ({ metrics }) =>
      Object.entries(metrics.kinds).map(([kind, { tokens }]) => ({ attributes: { kind }, value: tokens })),
  },
  {
    name: 'feishu.auth.lock.acquisitions',
    type: 'counter',
    unit: '{acquisition}',
    description: 'Renewals by what the lock answered.',
    attributes: ['result'],
    read: ({ metrics: { lock } }) =>
      counted('result', {
        acquired: lock.acquired,
        contended: lock.contended,
        failed_open: lock.failedOpen,
      }),
  },
  {
    name: 'feishu.auth.store.operations',
    type: 'counter',
    unit: '{operation}',
    description: 'Operations on the shared store by result.',
    attributes: ['operation', 'result'],
    read: ({ telemetry }) =>
      telemetry.storeOperations().map(({ operation, result, count }) => ({
        attributes: { operation, result },
        value: count,
      })),
  },
  {
    name: 'feishu.auth.store.breaker.state',
    type: 'gauge',
    unit: '{state}',
    description: 'Circuit breaker of the shared store: 1 for the state it is in, 0 for the others.',
    attributes: ['state'],
    read: ({ metrics }) => oneOf(['closed', 'half-open', 'open'], metrics.store.breaker),
  },
  {
    name: 'feishu.auth.prewarm.refreshes',
    type: 'counter',
    unit: '{refresh}',
    description: 'Work of the pre-warm sweeps by result.',
    attributes: ['result'],
    read: ({ metrics: { prewarm } }) =>
      counted('result', {
        refreshed: prewarm.refreshed,
        failed: prewarm.failed,
        late: prewarm.late,
        skipped: prewarm.skipped,
      }),
  },
  {
    name: 'feishu.auth.events',
    type: 'counter',
    unit: '{event}',
    description: 'Deliveries at the event URL by result. Absent without the events option.',
    attributes: ['result'],
    read: ({ metrics: { events } }) =>
      events === undefined
        ? []
        : counted('result', {
            accepted: events.accepted,
            duplicate: events.duplicates,
            challenge: events.challenges,
            rejected: events.rejected,
          }),
  },
];

/** The name that the OpenTelemetry exporter for Prometheus makes of `definition`. */
export function prometheusName({ name, unit, type }: MetricDefinition): string {
  const base = prometheusLabel(name);
  const withUnit = unit === 's' ? `${base}_seconds` : base;
  return type === 'counter' ? `${withUnit}_total` : withUnit;
}

export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll('.', '_');
}
