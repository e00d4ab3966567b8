import { type Counts, rulesOf, rulesTable } from '../sample/03-fleet/rules.js';

describe('the rules of the fleet sample', () => {
  type Totals = Record<'reads' | 'failedReads' | 'apiCalls' | 'rejected' | 'adopted' | 'slowestMs', number>;

  const COUNTS: Counts = {
    size: 3,
    coldCalls: 1,
    tally: { quiet: [1, 1], redis: [3, 2], killed: 2 },
    slowestWithoutRedisMs: 40,
    sharedAfter: { done: 5, of: 5 },
  };
  const TOTALS: Totals = {
    reads: 9_000,
    failedReads: 0,
    apiCalls: 1_234,
    rejected: 0,
    adopted: 4,
    slowestMs: 900,
  };

  const rules = (counts: Partial<Counts> = {}, totals: Partial<Totals> = {}): ReturnType<typeof rulesOf> => {
    const { slowestMs, ...others } = { ...TOTALS, ...totals };
    return rulesOf({ slowestMs, total: (figure) => others[figure] }, { ...COUNTS, ...counts });
  };
  const unmet = (...given: Parameters<typeof rules>): string[] =>
    rules(...given).flatMap(({ what, isMet }) => (isMet ? [] : [what]));

  const quiet = (...calls: number[]): Partial<Counts> => ({ tally: { ...COUNTS.tally, quiet: calls } });

  it('are met, all of them, when all went well', () => {
    expect(unmet()).toEqual([]);
    expect(rules()).toHaveLength(10);
  });

  it.each<[string, ...Parameters<typeof rules>]>([
    ['a call of each process after the kill', { tally: { ...COUNTS.tally, killed: 3 } }],
    ['no rotation while Redis was in trouble', { tally: { ...COUNTS.tally, redis: [] } }],
    ['a read just below four seconds', {}, { slowestMs: 3_999 }],
    ['a read just below a second without Redis', { slowestWithoutRedisMs: 999 }],
    ['more adopted than need be', {}, { adopted: 40 }],
  ])('are met by %s', (_what, ...given) => {
    expect(unmet(...given)).toEqual([]);
  });

  it.each<[string, string, ...Parameters<typeof rules>]>([
    ['two calls at the cold start', 'platform calls at the cold start', { coldCalls: 2 }],
    ['no call at the cold start', 'platform calls at the cold start', { coldCalls: 0 }],
    ['two calls in a quiet rotation', 'platform calls in 2 rotations, all well', quiet(1, 2)],
    ['no quiet rotation', 'platform calls in 0 rotations, all well', quiet()],
    [
      'more calls than processes after the kill',
      'platform calls after the lock holder was killed',
      { tally: { ...COUNTS.tally, killed: 4 } },
    ],
    [
      'more calls than processes in one rotation of several',
      'platform calls in a rotation, Redis in trouble',
      { tally: { ...COUNTS.tally, redis: [1, 4, 1] } },
    ],
    ['too few tokens adopted', 'tokens adopted from Redis', {}, { adopted: 3 }],
    [
      'a token that was not shared in time',
      'times it shared one token again',
      { sharedAfter: { done: 4, of: 5 } },
    ],
    ['a token rejected', 'tokens rejected in 1,234 API calls', {}, { rejected: 1 }],
    ['a read that failed', 'failed reads of 9,000', {}, { failedReads: 1 }],
    ['a slow read', 'slowest read', {}, { slowestMs: 4_000 }],
    ['a slow read without Redis', 'slowest read, Redis frozen or down', { slowestWithoutRedisMs: 1_000 }],
  ])('are not met by %s', (_what, rule, ...given) => {
    expect(unmet(...given)).toEqual([rule]);
  });

  it('say in the table which of them are not met', () => {
    const lines = rulesTable(rules({ coldCalls: 2 }, { slowestMs: 1_499.2 })).split('\n');
    expect(lines.filter((line) => line.endsWith(' NOT ok'))).toEqual([
      expect.stringMatching(/platform calls at the cold start +2 +1 +NOT ok$/),
    ]);
    expect(lines).toContainEqual(expect.stringMatching(/slowest read +1,500 ms +< 4,000 ms +ok$/));
  });
});
