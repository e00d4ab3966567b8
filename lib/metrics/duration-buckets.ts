/** Upper ends of the buckets in seconds, as the OpenTelemetry HTTP conventions advise. */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/**
 * A distribution in fixed buckets, for exporters. All durations are in seconds.
 *
 * @internal
 */
export interface BucketedDurations {
  readonly count: number;
  readonly sum: number;
  /** Cumulative, one for each of `DURATION_BUCKETS_SECONDS`. */
  readonly buckets: readonly number[];
}

/** Counts durations in fixed buckets, so that a scrape needs no subscription and loses no early duration. */
export class DurationBuckets {
  private count = 0;
  private sum = 0;
  /** The last one is for durations above the highest end. */
  private readonly counts = Array.from({ length: DURATION_BUCKETS_SECONDS.length + 1 }, () => 0);

  /** Takes one duration in milliseconds. A negative duration or NaN counts as 0. */
  record(durationMs: number): void {
    const seconds = durationMs > 0 ? durationMs / 1_000 : 0;
    const index = DURATION_BUCKETS_SECONDS.findIndex((end) => seconds <= end);
    const bucket = index === -1 ? DURATION_BUCKETS_SECONDS.length : index;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count++;
    this.sum += seconds;
  }

  /** A copy of what was recorded so far. */
  read(): BucketedDurations {
    let below = 0;
    const buckets = DURATION_BUCKETS_SECONDS.map((_, index) => (below += this.counts[index] ?? 0));
    return { count: this.count, sum: this.sum, buckets };
  }
}
