import { type ReplicaProcess } from './replica-process.js';

/** When the platform was asked for a token, in milliseconds, and what went on meanwhile. */
export interface Course {
  readonly calls: readonly number[];
  readonly lifeMs: number;
  /** From when Redis stopped answering until everybody had a token of its time again. */
  readonly trouble: { readonly from: number; readonly to: number };
  /** Requests that died with the process that made them. */
  readonly killedCalls: number;
}

interface Total {
  readonly what: string;
  readonly is: number;
  readonly shouldBe: string;
  readonly isFine: boolean;
}

/** The figures of the whole fleet beside what they should be. */
export function totalsOf(replicas: readonly ReplicaProcess[], course: Course): Total[] {
  const { calls, lifeMs, trouble, killedCalls } = course;
  const sum = (of: (replica: ReplicaProcess) => number): number =>
    replicas.reduce((total, replica) => total + of(replica), 0);
  const isTrouble = (at: number): boolean => at >= trouble.from && at < trouble.to;
  const calm = calls.filter((at) => !isTrouble(at));
  // Renewal begins at half of a life at the earliest: what follows sooner is a second call of its rotation.
  const rotations = calm.filter((at, index) => at - (calm[index - 1] ?? -Infinity) > 0.4 * lifeMs).length;
  const alone = calls.length - calm.length;
  const lives = Math.ceil((trouble.to - trouble.from) / (0.5 * lifeMs));
  return [
    atMost(
      'reads that failed',
      sum(({ figures }) => figures.failed),
      0,
    ),
    atMost(
      'tokens that the platform refused',
      sum(({ figures }) => figures.refused),
      0,
    ),
    atMost(
      'reads that waited',
      sum(({ figures }) => figures.waited),
      replicas.length,
      "each process's first",
    ),
    atMost(
      'platform calls while Redis was there',
      calm.length,
      rotations + killedCalls,
      `${rotations} rotations, and the one that was killed`,
    ),
    atMost(
      'platform calls while Redis was not',
      alone,
      replicas.length * lives,
      'one a process and rotation: each for itself',
    ),
  ];
}

export function printTotals(totals: readonly Total[]): void {
  const width = Math.max(...totals.map(({ what }) => what.length));
  for (const { what, is, shouldBe, isFine } of totals) {
    console.log(
      `   ${isFine ? 'ok ' : 'NOT'}  ${what.padEnd(width)}  ${String(is).padStart(4)}   should be ${shouldBe}`,
    );
  }
}

function atMost(what: string, is: number, most: number, why = ''): Total {
  const bound = most === 0 ? 'none' : `at most ${most}`;
  return { what, is, isFine: is <= most, shouldBe: why === '' ? bound : `${bound} (${why})` };
}
