import { type ModulesContainer } from '@nestjs/core';
import { telemetryOf } from './instance-telemetry.js';
import { readInstance, type InstanceReading } from './metric-definitions.js';

/** Reads all instances of an application. The metrics of one scrape share one reading, so that they agree. */
export class ApplicationReadings {
  readonly #modules: ModulesContainer;
  #current: readonly InstanceReading[] | undefined;

  constructor(modules: ModulesContainer) {
    this.#modules = modules;
  }

  take(): readonly InstanceReading[] {
    if (this.#current === undefined) {
      this.#current = telemetryOf(this.#modules).map(readInstance);
      // An exporter asks all metrics in one synchronous turn.
      queueMicrotask(() => (this.#current = undefined));
    }
    return this.#current;
  }
}
