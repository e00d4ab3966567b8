import { compareRuns } from './compare-runs.js';
import { type Metric } from './metric.js';
import { spreadOf } from './statistics.js';

const metric = (rounds: number[], better: Metric['better'] = 'less', id = 'peek', unit = 'ns'): Metric => ({
  id,
  unit,
  better,
  spread: spreadOf(rounds),
});

const verdict = (before: Metric, after: Metric): string | undefined =>
  compareRuns([before], [after]).compared[0]?.verdict;

describe('compareRuns', () => {
  it.each([
    ['less is better', metric([100, 101, 102]), metric([80, 81, 82]), 'better'],
    ['less is better', metric([80, 81, 82]), metric([100, 101, 102]), 'worse'],
    ['more is better', metric([80, 81, 82], 'more'), metric([100, 101, 102], 'more'), 'better'],
    ['more is better', metric([100, 101, 102], 'more'), metric([80, 81, 82], 'more'), 'worse'],
  ] as const)('%s: %#', (_, before, after, expected) => {
    expect(verdict(before, after)).toBe(expected);
  });

  it('calls noise what overlaps, however far the medians are apart', () => {
    expect(verdict(metric([50, 100, 150]), metric([90, 130, 170]))).toBe('noise');
  });

  it('calls noise what is too little to matter, however sure', () => {
    expect(verdict(metric([100, 100, 100]), metric([104, 104, 104]))).toBe('noise');
  });

  it.each(['ns', 'µs', 'ms', '/s', 'x'])(
    'calls noise what was timed in fewer than three rounds: %s',
    (unit) => {
      const [few, many] = [metric([100, 100], 'less', 'a', unit), metric([50, 50, 50], 'less', 'a', unit)];
      expect(verdict(few, many)).toBe('noise');
      expect(verdict(many, few)).toBe('noise');
      expect(verdict(metric([100, 100, 100], 'less', 'a', unit), many)).toBe('better');
    },
  );

  it.each(['calls', 'reads', 'bytes'])('compares what was counted, be it once: %s', (unit) => {
    expect(verdict(metric([1], 'less', 'a', unit), metric([2], 'less', 'a', unit))).toBe('worse');
  });

  it('sees a figure that should be 0 and is not', () => {
    const [only] = compareRuns([metric([0, 0, 0])], [metric([3, 3, 3])]).compared;
    expect(only).toMatchObject({ before: 0, after: 3, verdict: 'worse', ratio: Infinity });
  });

  it('calls noise what is 0 in both', () => {
    expect(verdict(metric([0, 0]), metric([0, 0]))).toBe('noise');
  });

  it('names what only one run has', () => {
    expect(compareRuns([metric([1], 'less', 'old')], [metric([1], 'less', 'new')])).toEqual({
      compared: [],
      onlyBefore: ['old'],
      onlyAfter: ['new'],
    });
  });
});
