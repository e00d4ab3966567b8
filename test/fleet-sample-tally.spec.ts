import { SETTLE_MS, tallyOf, type Trouble } from '../sample/03-fleet/tally.js';

const LIFE_MS = 10_000;
/** Calls that are this far apart, or less, replace the same token. */
const SPAN_MS = 4_000;

describe('the tally of the fleet sample', () => {
  const redis = (from: number, to: number): Trouble => ({ what: 'redis', from, to });
  const kill = (from: number, to: number): Trouble => ({ what: 'lock holder killed', from, to });

  it.each<[string, number[], Trouble[], ReturnType<typeof tallyOf>]>([
    ['no call is no rotation', [], [], { quiet: [], redis: [], killed: 0 }],
    ['one call each', [0, 6_000, 12_000], [], { quiet: [1, 1, 1], redis: [], killed: 0 }],
    ['two calls in one', [0, SPAN_MS, 6_000], [], { quiet: [2, 1], redis: [], killed: 0 }],
    ['a call right after it is the next one', [0, SPAN_MS + 1], [], { quiet: [1, 1], redis: [], killed: 0 }],
    ['counted from its first call', [0, 3_000, 6_000], [], { quiet: [2, 1], redis: [], killed: 0 }],
    [
      'calls of each process, Redis in trouble',
      [0, 20_000, 20_100, 20_200, 40_000],
      [redis(19_000, 21_000)],
      { quiet: [1, 1], redis: [3], killed: 0 },
    ],
    [
      'trouble that a rotation may run into',
      [0, 10_000],
      [redis(10_000 + SPAN_MS, 30_000)],
      { quiet: [1], redis: [1], killed: 0 },
    ],
    [
      'one that ends before the trouble',
      [0, 10_000],
      [redis(10_001 + SPAN_MS, 30_000)],
      { quiet: [1, 1], redis: [], killed: 0 },
    ],
    [
      'until what did not answer is asked again',
      [10_000 + SETTLE_MS, 30_000],
      [redis(9_000, 10_000)],
      { quiet: [1], redis: [1], killed: 0 },
    ],
    [
      'quiet again after that',
      [10_001 + SETTLE_MS, 30_000],
      [redis(9_000, 10_000)],
      { quiet: [1, 1], redis: [], killed: 0 },
    ],
    [
      'calls in place of the killed one are in no rotation',
      [0, 8_999, 9_000, 13_000, 13_001],
      [kill(9_000, 13_000)],
      { quiet: [1, 1, 1], redis: [], killed: 2 },
    ],
  ])('%s', (_what, calls, troubles, tally) => {
    expect(tallyOf(calls, LIFE_MS, troubles)).toEqual(tally);
  });
});
