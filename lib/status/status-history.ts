import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type Clock, type ClockTimer } from '../time/clock.js';
import { type InstanceTelemetry } from '../telemetry/instance-telemetry.js';
import { type StatusMinute } from './status-snapshot.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** Running totals, so that a minute is the difference of two. */
interface Totals {
  requests: number;
  hits: number;
  waits: number;
  waitMsSum: number;
  refreshes: number;
  refreshFailures: number;
  refreshMsSum: number;
}

/** What one instance did in each minute of the last hour, sampled from its metrics. */
export class StatusHistory {
  readonly #telemetry: InstanceTelemetry;
  readonly #clock: Clock;
  #minutes: StatusMinute[] = [];
  #before: Totals;
  #timer: ClockTimer | undefined;

  constructor(telemetry: InstanceTelemetry, clock: Clock) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#before = totalsOf(telemetry.metrics());
  }

  start(): void {
    this.#timer ??= this.#clock.setInterval(() => this.#sample(), MINUTE_MS);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The oldest minute first; the last one is the minute that is under way. */
  read(): StatusMinute[] {
    return [...this.#minutes, this.#current(totalsOf(this.#telemetry.metrics()))];
  }

  #sample(): void {
    const totals = totalsOf(this.#telemetry.metrics());
    this.#minutes = [...this.#minutes, this.#current(totals)].slice(1 - MINUTES);
    this.#before = totals;
  }

  #current(totals: Totals): StatusMinute {
    const before = this.#before;
    const waits = totals.waits - before.waits;
    const refreshes = totals.refreshes - before.refreshes;
    return {
      at: new Date(this.#clock.now()).toISOString(),
      requests: totals.requests - before.requests,
      hits: totals.hits - before.hits,
      waits,
      waitMs: waits === 0 ? 0 : (totals.waitMsSum - before.waitMsSum) / waits,
      refreshes,
      refreshFailures: totals.refreshFailures - before.refreshFailures,
      refreshMs: refreshes === 0 ? 0 : (totals.refreshMsSum - before.refreshMsSum) / refreshes,
    };
  }
}

function totalsOf({ kinds }: TokenMetricsSnapshot): Totals {
  const totals: Totals = {
    requests: 0,
    hits: 0,
    waits: 0,
    waitMsSum: 0,
    refreshes: 0,
    refreshFailures: 0,
    refreshMsSum: 0,
  };
  for (const { requests, hits, waits, waitMs, refresh } of Object.values(kinds)) {
    totals.requests += requests;
    totals.hits += hits;
    totals.waits += waits;
    totals.waitMsSum += waitMs.mean * waitMs.count;
    totals.refreshes += refresh.attempts;
    totals.refreshFailures += refresh.failure;
    totals.refreshMsSum += refresh.latencyMs.mean * refresh.latencyMs.count;
  }
  return totals;
}
