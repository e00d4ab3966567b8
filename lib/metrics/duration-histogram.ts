import { createHistogram } from 'node:perf_hooks';
import { type DurationSummary } from './token-metrics-snapshot.js';

/** In milliseconds. A longer duration counts as this one. */
const LONGEST_MS = 60_000;
const MICROSECONDS = 1_000;

/**
 * Keeps any number of durations in about 20 kB: percentiles within 1 %, mean and maximum exact.
 *
 * @internal
 */
export class DurationHistogram {
  // Two figures: three would take 128 kB a histogram.
  private readonly histogram = createHistogram({
    lowest: 1,
    highest: LONGEST_MS * MICROSECONDS,
    figures: 2,
  });
  private count = 0;
  private sumMs = 0;
  private maxMs = 0;

  /** Adds one duration, in milliseconds. It never throws: NaN and negative durations count as 0. */
  record(durationMs: number): void {
    const ms = durationMs > 0 ? Math.min(durationMs, LONGEST_MS) : 0;
    this.histogram.record(Math.max(1, Math.round(ms * MICROSECONDS)));
    this.count++;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** The distribution so far, in milliseconds; all 0 without data. */
  summary(): DurationSummary {
    return {
      count: this.count,
      mean: this.count === 0 ? 0 : toMicrosecond(this.sumMs / this.count),
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      max: toMicrosecond(this.maxMs),
    };
  }

  private percentile(percent: number): number {
    // The histogram returns the upper end of a bucket, which may exceed the maximum.
    const ms = this.count === 0 ? 0 : this.histogram.percentile(percent) / MICROSECONDS;
    return toMicrosecond(Math.min(ms, this.maxMs));
  }
}

function toMicrosecond(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}
