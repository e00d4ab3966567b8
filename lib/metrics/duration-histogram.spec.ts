import { DurationHistogram } from './duration-histogram.js';

describe('DurationHistogram', () => {
  it('is all zeros without data', () => {
    expect(new DurationHistogram().summary()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });

  it('repeats a single duration exactly', () => {
    const histogram = new DurationHistogram();
    histogram.record(5.25);
    expect(histogram.summary()).toEqual({ count: 1, mean: 5.25, p50: 5.25, p90: 5.25, p99: 5.25, max: 5.25 });
  });

  it.each([0.004, 1, 37])(
    'tells percentiles within 1 %%, mean and maximum exactly (1..1000 x %d ms)',
    (unit) => {
      const histogram = new DurationHistogram();
      for (let step = 1; step <= 1_000; step++) histogram.record(step * unit);
      const summary = histogram.summary();

      expect(summary.count).toBe(1_000);
      expect(summary.mean).toBeCloseTo(500.5 * unit, 3);
      expect(summary.max).toBe(1_000 * unit);
      const percentiles = [summary.p50 / 500, summary.p90 / 900, summary.p99 / 990];
      for (const percentile of percentiles) expect(Math.abs(percentile / unit - 1)).toBeLessThan(0.01);
    },
  );

  it('sees the slow one among many fast ones', () => {
    const histogram = new DurationHistogram();
    for (let fast = 0; fast < 98; fast++) histogram.record(2);
    histogram.record(4_000);
    histogram.record(4_000);
    const { p50, p90, p99, max } = histogram.summary();
    expect(p50).toBeCloseTo(2, 1);
    expect(p90).toBeCloseTo(2, 1);
    expect(p99).toBe(4_000);
    expect(max).toBe(4_000);
  });

  it('counts what is longer than a minute as a minute', () => {
    const histogram = new DurationHistogram();
    histogram.record(3_600_000);
    histogram.record(Infinity);
    expect(histogram.summary()).toMatchObject({ count: 2, mean: 60_000, p99: 60_000, max: 60_000 });
  });

  it.each([0, -5, NaN])('takes %d as no time at all', (duration) => {
    const histogram = new DurationHistogram();
    histogram.record(duration);
    expect(histogram.summary()).toEqual({ count: 1, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });
});
