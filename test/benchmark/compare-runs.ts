import { type Metric } from './metric.js';
import { type Spread } from './statistics.js';

/** A figure of both runs. */
export interface Comparison {
  readonly id: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** After over before. */
  readonly ratio: number;
  readonly verdict: 'better' | 'worse' | 'noise';
}

export interface RunComparison {
  readonly compared: readonly Comparison[];
  /** Figures that only one of the runs has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

/** Less than this is not worth a word, however sure it is. */
const WORTH_A_WORD = 0.05;

/** Of fewer rounds nobody knows the noise. */
const LEAST_ROUNDS = 3;
/** What the machine has a say in; counts and bytes are the same in every round. */
const TIMED_UNITS: readonly string[] = ['ns', 'µs', 'ms', '/s', 'x'];

/** What moved beyond the noise: by more than 5 %, and with the middle halves of the rounds apart. */
export function compareRuns(before: readonly Metric[], after: readonly Metric[]): RunComparison {
  const earlier = new Map(before.map((metric) => [metric.id, metric]));
  const later = new Map(after.map((metric) => [metric.id, metric]));
  return {
    compared: after.flatMap((metric) => {
      const old = earlier.get(metric.id);
      return old ? [compared(old, metric)] : [];
    }),
    onlyBefore: [...earlier.keys()].filter((id) => !later.has(id)),
    onlyAfter: [...later.keys()].filter((id) => !earlier.has(id)),
  };
}

function compared(before: Metric, after: Metric): Comparison {
  const [from, to] = [before.spread, after.spread];
  const ratio = from.median === to.median ? 1 : to.median / from.median;
  const isApart = to.low > from.high || to.high < from.low;
  const hasSpread = !TIMED_UNITS.includes(after.unit) || [from, to].every(isKnown);
  const isMoved = hasSpread && isApart && Math.abs(ratio - 1) > WORTH_A_WORD;
  const isLess = to.median < from.median;
  const verdict = isLess === (after.better === 'less') ? 'better' : 'worse';
  return {
    id: after.id,
    unit: after.unit,
    before: from.median,
    after: to.median,
    ratio,
    verdict: isMoved ? verdict : 'noise',
  };
}

function isKnown({ rounds }: Spread): boolean {
  return rounds.length >= LEAST_ROUNDS;
}
