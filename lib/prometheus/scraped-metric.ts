import { DURATION_BUCKETS_SECONDS } from '../metrics/duration-buckets.js';
import {
  prometheusLabel,
  prometheusName,
  type HistogramSample,
  type InstanceReading,
  type MetricAttributes,
  type MetricDefinition,
} from '../telemetry/metric-definitions.js';

interface ScrapedValue {
  readonly value: number;
  readonly labels: Record<string, string | number>;
  readonly metricName?: string;
}

/**
 * One metric in the shape that a prom-client registry expects. It stores nothing: `get()` reads all instances when the
 * registry is scraped.
 */
export class ScrapedMetric {
  /** Writable, because prom-client removes `_total` from the names of counters in OpenMetrics output. */
  name: string;
  readonly help: string;
  readonly type: MetricDefinition['type'];
  readonly aggregator = 'sum';
  readonly labelNames: readonly string[];

  readonly #definition: MetricDefinition;
  #readings: () => readonly InstanceReading[];

  constructor(definition: MetricDefinition, readings: () => readonly InstanceReading[]) {
    this.name = prometheusName(definition);
    this.help = definition.description;
    this.type = definition.type;
    this.labelNames = ['feishu_instance', ...definition.attributes.map(prometheusLabel)];
    this.#definition = definition;
    this.#readings = readings;
  }

  get(): Promise<{
    name: string;
    help: string;
    type: MetricDefinition['type'];
    aggregator: 'sum';
    values: ScrapedValue[];
  }> {
    const { name, help, type, aggregator } = this;
    const values = this.#readings().flatMap((reading) => this.#valuesOf(reading));
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** A scrape reads live counters, so there is nothing to reset. */
  reset(): void {}

  #valuesOf(reading: InstanceReading): ScrapedValue[] {
    const definition = this.#definition;
    const labelsOf = (attributes: MetricAttributes): Record<string, string> => ({
      feishu_instance: reading.telemetry.instance,
      ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [prometheusLabel(key), value])),
    });
    if (definition.type === 'histogram') {
      return definition
        .read(reading)
        .flatMap((sample) => this.#histogramValues(sample, labelsOf(sample.attributes)));
    }
    return definition.read(reading).map(({ attributes, value }) => ({ value, labels: labelsOf(attributes) }));
  }

  #histogramValues({ durations }: HistogramSample, labels: Record<string, string>): ScrapedValue[] {
    const metricName = `${this.name}_bucket`;
    const bounded = durations.buckets.map((value, index) => ({
      metricName,
      value,
      labels: { ...labels, le: DURATION_BUCKETS_SECONDS[index] ?? Infinity },
    }));
    return [
      ...bounded,
      { metricName, value: durations.count, labels: { ...labels, le: '+Inf' } },
      { metricName: `${this.name}_sum`, value: durations.sum, labels },
      { metricName: `${this.name}_count`, value: durations.count, labels },
    ];
  }
}
