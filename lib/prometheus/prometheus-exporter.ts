import { type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ModulesContainer } from '@nestjs/core';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { ApplicationReadings } from '../telemetry/application-readings.js';
import { METRIC_DEFINITIONS } from '../telemetry/metric-definitions.js';
import { ScrapedMetric } from './scraped-metric.js';

/**
 * The part of a prom-client `Registry` that is used. Its content type does not matter.
 *
 * @publicApi
 */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** Marks metrics of this package in a registry, across its copies. */
const OWN_METRIC = Symbol.for('nestjs-feishu-auth:prometheus-metric');

/** Keeps the metrics of one application in a registry from bootstrap to shutdown. */
export class PrometheusExporter implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #readings: ApplicationReadings;
  readonly #registry: PrometheusRegistry;
  readonly #registered: (readonly [name: string, metric: ScrapedMetric])[] = [];

  constructor(modules: ModulesContainer, registry: PrometheusRegistry) {
    this.#readings = new ApplicationReadings(modules);
    this.#registry = registry;
  }

  /** @internal */
  onApplicationBootstrap(): void {
    for (const definition of METRIC_DEFINITIONS) {
      const metric = new ScrapedMetric(definition, () => this.#readings.take());
      Object.defineProperty(metric, OWN_METRIC, { value: true });
      this.#register(metric);
    }
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const [name, metric] of this.#registered) {
      // A later application of this process may have taken the name.
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
  }

  /** A registry serves one application: the last one that starts, as when tests or reloads start several. */
  #register(metric: ScrapedMetric): void {
    const { name } = metric;
    const present = this.#registry.getSingleMetric(name);
    if (present !== undefined && !isOwnMetric(present)) throw nameTaken(name);
    if (present !== undefined) this.#registry.removeSingleMetric(name);
    this.#registry.registerMetric(metric as never);
    this.#registered.push([name, metric]);
  }
}

function isOwnMetric(metric: unknown): boolean {
  return typeof metric === 'object' && metric !== null && OWN_METRIC in metric;
}

function nameTaken(name: string): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_CONFIG_INVALID',
    `FeishuPrometheusModule: the registry already has a metric named ${name}; rename that metric, or pass another registry: FeishuPrometheusModule.register({ registry: new Registry() })`,
  );
}
