import { type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type ModulesContainer } from '@nestjs/core';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { THIS_COPY } from '../identity/this-copy.js';
import { telemetryOf, type InstanceTelemetry } from '../telemetry/instance-telemetry.js';
import { type Clock } from '../time/clock.js';
import { RecentFailures } from './recent-failures.js';
import { StatusHistory } from './status-history.js';
import { contentSecurityPolicy, statusPageHtml } from './status-page.html.js';
import { type StatusInstance, type StatusSnapshot } from './status-snapshot.js';
import { StatusStreams } from './status-streams.js';

/** A page as it is sent: the headers allow exactly its own script and styles. */
export interface StatusPageResponse {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads what the status page shows. It changes nothing. */
export class StatusBoard implements OnApplicationBootstrap, OnModuleDestroy {
  readonly streams: StatusStreams;
  readonly #modules: ModulesContainer;
  readonly #clock: Clock;
  readonly #failures: RecentFailures;
  readonly #histories = new Map<InstanceTelemetry, StatusHistory>();

  constructor(modules: ModulesContainer, clock: Clock) {
    this.#modules = modules;
    this.#clock = clock;
    this.#failures = new RecentFailures(clock);
    this.streams = new StatusStreams(clock, () => this.snapshot());
    // Before any instance renews a token, so that no failure is missed.
    this.#failures.start();
  }

  /** @internal */
  onApplicationBootstrap(): void {
    for (const telemetry of telemetryOf(this.#modules)) this.#historyOf(telemetry).start();
  }

  /** Before the host waits for its connections to end. @internal */
  onModuleDestroy(): void {
    this.streams.close();
    this.#failures.stop();
    for (const history of this.#histories.values()) history.stop();
  }

  snapshot(): StatusSnapshot {
    return {
      instances: telemetryOf(this.#modules).map((telemetry) => this.#instance(telemetry)),
      process: { hostname: hostname(), pid: process.pid, node: process.version, version: THIS_COPY.version },
    };
  }

  page(): StatusPageResponse {
    const nonce = randomBytes(16).toString('base64url');
    return {
      body: statusPageHtml(this.snapshot(), nonce, this.#clock.now()),
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': contentSecurityPolicy(nonce),
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      },
    };
  }

  #instance(telemetry: InstanceTelemetry): StatusInstance {
    return {
      metrics: telemetry.metrics(),
      health: telemetry.health(),
      tokens: telemetry.tokens(),
      failures: this.#failures.of(telemetry.instance),
      history: this.#historyOf(telemetry).read(),
    };
  }

  #historyOf(telemetry: InstanceTelemetry): StatusHistory {
    const known = this.#histories.get(telemetry);
    if (known) return known;
    const history = new StatusHistory(telemetry, this.#clock);
    this.#histories.set(telemetry, history);
    return history;
  }
}
