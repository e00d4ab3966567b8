import { table } from './board.js';
import { type Fleet } from './fleet.js';
import { type Tally } from './tally.js';

/** A fleet without a holder of the lock has a token within this. */
const SLOWEST_READ_MS = 4_000;
/** Reads from memory do not notice Redis; a second is what a machine with other things to do may take. */
const SLOWEST_READ_WITHOUT_REDIS_MS = 1_000;

/** A total, and what it should be. */
export interface Rule {
  readonly what: string;
  readonly value: string;
  readonly shouldBe: string;
  readonly isMet: boolean;
}

/** What was counted in the course of the show. */
export interface Counts {
  /** Replicas that read at any one time. */
  readonly size: number;
  readonly coldCalls: number;
  readonly tally: Tally;
  /** The slowest read while Redis was frozen, or down. */
  readonly slowestWithoutRedisMs: number;
  /** After each of these the fleet came to share one token again. */
  readonly sharedAfter: { readonly done: number; readonly of: number };
}

export function rulesOf(fleet: Pick<Fleet, 'total' | 'slowestMs'>, counts: Counts): Rule[] {
  const { size, coldCalls, tally, slowestWithoutRedisMs, sharedAfter } = counts;
  const { quiet, redis, killed } = tally;
  const quietCalls = quiet.reduce((sum, calls) => sum + calls, 0);
  const mostInTrouble = Math.max(0, ...redis);
  const adopted = fleet.total('adopted');
  return [
    exactly('platform calls at the cold start', coldCalls, 1),
    {
      what: `platform calls in ${quiet.length} rotations, all well`,
      value: count(quietCalls),
      shouldBe: `${quiet.length} (1 each)`,
      isMet: quiet.length > 0 && quietCalls === quiet.length,
    },
    atMost('platform calls after the lock holder was killed', killed, size),
    atMost('platform calls in a rotation, Redis in trouble', mostInTrouble, size),
    {
      what: 'tokens adopted from Redis',
      value: count(adopted),
      shouldBe: `at least ${(size - 1) * quiet.length}`,
      isMet: adopted >= (size - 1) * quiet.length,
    },
    exactly('times it shared one token again', sharedAfter.done, sharedAfter.of),
    exactly(`tokens rejected in ${count(fleet.total('apiCalls'))} API calls`, fleet.total('rejected'), 0),
    exactly(`failed reads of ${count(fleet.total('reads'))}`, fleet.total('failedReads'), 0),
    below('slowest read', fleet.slowestMs, SLOWEST_READ_MS),
    below('slowest read, Redis frozen or down', slowestWithoutRedisMs, SLOWEST_READ_WITHOUT_REDIS_MS),
  ];
}

export function rulesTable(rules: readonly Rule[]): string {
  return table([
    ['', 'total', 'should be', ''],
    ...rules.map(({ what, value, shouldBe, isMet }) => [what, value, shouldBe, isMet ? 'ok' : 'NOT ok']),
  ]);
}

function exactly(what: string, value: number, wanted: number): Rule {
  return { what, value: count(value), shouldBe: count(wanted), isMet: value === wanted };
}

function atMost(what: string, value: number, limit: number): Rule {
  return { what, value: count(value), shouldBe: `at most ${limit}`, isMet: value <= limit };
}

function below(what: string, ms: number, limitMs: number): Rule {
  return {
    what,
    value: `${count(Math.ceil(ms))} ms`,
    shouldBe: `< ${count(limitMs)} ms`,
    isMet: ms < limitMs,
  };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
