/** What one quantity was in each of the rounds, and what to say of it. */
export interface Spread {
  /** One figure a round, in the order they were measured. */
  readonly rounds: readonly number[];
  readonly median: number;
  /** The middle half of the rounds lies between these two. */
  readonly low: number;
  readonly high: number;
}

/** @param share 0 the smallest, 0.5 the median, 1 the largest; between two values, in proportion */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).toSorted();
  if (sorted.length === 0) return Number.NaN;
  const position = Math.min(Math.max(share, 0), 1) * (sorted.length - 1);
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export function spreadOf(rounds: readonly number[]): Spread {
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(rounds, share));
  return { rounds, median: median ?? Number.NaN, low: low ?? Number.NaN, high: high ?? Number.NaN };
}

/** How many times `a` is `b`: round by round, because what slows one down slows its neighbour in the same round. */
export function ratioOf(a: Spread, b: Spread): Spread {
  const count = Math.min(a.rounds.length, b.rounds.length);
  return spreadOf(Array.from({ length: count }, (_, i) => (a.rounds[i] as number) / (b.rounds[i] as number)));
}

/** The latencies that the tables show. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export function percentilesOf(values: readonly number[]): Percentiles {
  const at = (share: number): number => (values.length === 0 ? 0 : quantile(values, share));
  return { count: values.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** The middle one of several rounds' percentiles, each by itself. */
export function medianPercentiles(rounds: readonly Percentiles[]): Percentiles {
  const middle = (pick: (round: Percentiles) => number): number => quantile(rounds.map(pick), 0.5);
  return {
    count: middle((round) => round.count),
    p50: middle((round) => round.p50),
    p99: middle((round) => round.p99),
    p999: middle((round) => round.p999),
    max: middle((round) => round.max),
  };
}
