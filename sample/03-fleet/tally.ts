/** Processes draw when to renew from 20 % of a token's life, and the earliest is 50 % after the one before. */
const ROTATION_SHARE_OF_LIFE = 0.4;
/** What does not answer is left alone for five seconds, so sharing resumes that much later. */
export const SETTLE_MS = 6_000;

/** From when to when something was wrong, in epoch milliseconds. */
export interface Trouble {
  readonly what: 'lock holder killed' | 'redis';
  readonly from: number;
  readonly to: number;
}

/** The platform's requests for a token, by what went on meanwhile. */
export interface Tally {
  /** Calls in each rotation while nothing was wrong. */
  readonly quiet: number[];
  /** Calls in each rotation while Redis was in trouble. */
  readonly redis: number[];
  /** Calls while the killed lock holder was being replaced. */
  readonly killed: number;
}

/**
 * @param calls when the platform was asked for a token after the cold start, in order
 * @param lifeMs how long a token lives
 */
export function tallyOf(calls: readonly number[], lifeMs: number, troubles: readonly Trouble[]): Tally {
  const kill = troubles.find(({ what }) => what === 'lock holder killed');
  const isOfKill = (at: number): boolean => kill !== undefined && at >= kill.from && at <= kill.to;
  const spanMs = lifeMs * ROTATION_SHARE_OF_LIFE;
  const quiet: number[] = [];
  const redis: number[] = [];
  for (const rotation of rotationsOf(
    calls.filter((at) => !isOfKill(at)),
    spanMs,
  )) {
    const [first = 0] = rotation;
    const isTroubled = troubles.some(
      ({ what, from, to }) => what === 'redis' && first + spanMs >= from && first <= to + SETTLE_MS,
    );
    (isTroubled ? redis : quiet).push(rotation.length);
  }
  return { quiet, redis, killed: calls.filter(isOfKill).length };
}

/** Calls that replace the same token, together. */
function rotationsOf(calls: readonly number[], spanMs: number): number[][] {
  const rotations: number[][] = [];
  for (const at of calls) {
    const current = rotations.at(-1);
    if (current?.[0] !== undefined && at - current[0] <= spanMs) current.push(at);
    else rotations.push([at]);
  }
  return rotations;
}
