import { type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ModulesContainer } from '@nestjs/core';
import {
  type BatchObservableResult,
  type Histogram,
  type Meter,
  type MeterProvider,
  type Observable,
} from '@opentelemetry/api';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { DURATION_BUCKETS_SECONDS } from '../metrics/duration-buckets.js';
import { ApplicationReadings } from '../telemetry/application-readings.js';
import {
  FEISHU_AUTH_CHANNELS,
  type TokenRequestMessage,
  type TokenWaitMessage,
} from '../telemetry/channels.js';
import { telemetryOf } from '../telemetry/instance-telemetry.js';
import {
  METRIC_DEFINITIONS,
  type HistogramDefinition,
  type MetricDefinition,
  type ObservableDefinition,
} from '../telemetry/metric-definitions.js';
import { SCOPE_NAME } from './scope.js';

/**
 * Reports metrics: counters and gauges are read from the instances when a reader collects; histograms record what the
 * channels publish, because OpenTelemetry has no observable histogram.
 */
export class MetricsBridge implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #modules: ModulesContainer;
  readonly #readings: ApplicationReadings;
  readonly #meter: Meter;
  readonly #observables: Map<Observable, ObservableDefinition>;
  readonly #waits: Histogram;
  readonly #requests: Histogram;

  constructor(modules: ModulesContainer, provider: MeterProvider) {
    this.#modules = modules;
    this.#readings = new ApplicationReadings(modules);
    this.#meter = provider.getMeter(SCOPE_NAME);
    this.#observables = new Map(
      METRIC_DEFINITIONS.filter(isObservable).map((it) => [observableOf(this.#meter, it), it]),
    );
    this.#waits = histogramOf(this.#meter, 'feishu.auth.token.wait.duration');
    this.#requests = histogramOf(this.#meter, 'feishu.auth.refresh.duration');
    // Subscribed before any instance renews a token, so that none is missed.
    subscribe(FEISHU_AUTH_CHANNELS.wait, this.#onWait);
    tracingChannel(FEISHU_AUTH_CHANNELS.request).asyncEnd.subscribe(this.#onRequest);
  }

  /** @internal */
  onApplicationBootstrap(): void {
    this.#meter.addBatchObservableCallback(this.#observe, [...this.#observables.keys()]);
  }

  /** @internal */
  onApplicationShutdown(): void {
    unsubscribe(FEISHU_AUTH_CHANNELS.wait, this.#onWait);
    tracingChannel(FEISHU_AUTH_CHANNELS.request).asyncEnd.unsubscribe(this.#onRequest);
    this.#meter.removeBatchObservableCallback(this.#observe, [...this.#observables.keys()]);
  }

  readonly #observe = (result: BatchObservableResult): void => {
    for (const reading of this.#readings.take()) {
      for (const [observable, definition] of this.#observables) {
        for (const { attributes, value } of definition.read(reading)) {
          result.observe(observable, value, {
            'feishu.instance': reading.telemetry.instance,
            ...attributes,
          });
        }
      }
    }
  };

  readonly #onWait = (message: unknown): void => {
    const { instance, kind, durationMs } = message as TokenWaitMessage;
    if (!this.#isOurs(instance)) return;
    this.#waits.record(durationMs / 1_000, { 'feishu.instance': instance, kind });
  };

  readonly #onRequest = (message: unknown): void => {
    const { instance, kind, result, errorType, durationMs } = message as TokenRequestMessage;
    if (!this.#isOurs(instance)) return;
    this.#requests.record(durationMs / 1_000, {
      'feishu.instance': instance,
      kind,
      result,
      ...(errorType !== undefined && { 'error.type': errorType }),
    });
  };

  /** Another application of this process may have instances too. Before bootstrap the instances are not complete. */
  #isOurs(instance: string): boolean {
    const own = telemetryOf(this.#modules);
    return own.length === 0 || own.some((telemetry) => telemetry.instance === instance);
  }
}

function isObservable(definition: MetricDefinition): definition is ObservableDefinition {
  return definition.type !== 'histogram';
}

function observableOf(meter: Meter, { name, type, unit, description }: ObservableDefinition): Observable {
  const options = { unit, description };
  return type === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}

function histogramOf(meter: Meter, name: HistogramDefinition['name']): Histogram {
  const definition = METRIC_DEFINITIONS.find((it) => it.name === name);
  return meter.createHistogram(name, {
    unit: 's',
    ...(definition && { description: definition.description }),
    advice: { explicitBucketBoundaries: [...DURATION_BUCKETS_SECONDS] },
  });
}
