import { medianPercentiles, percentilesOf, quantile, ratioOf, spreadOf } from './statistics.js';

describe('quantile', () => {
  it.each([
    [[3], 0.5, 3],
    [[1, 2], 0.5, 1.5],
    [[4, 1, 3, 2], 0, 1],
    [[4, 1, 3, 2], 1, 4],
    [[10, 0, 20], 0.25, 5],
    [[9, 10, 100], 0.5, 10],
  ])('of %j at %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });

  it('leaves its input as it was', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  it('of nothing is no number', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('spreadOf', () => {
  it('is the median and the middle half, and does not heed one wild round', () => {
    expect(spreadOf([10, 11, 12, 13, 9_000])).toEqual({
      rounds: [10, 11, 12, 13, 9_000],
      median: 12,
      low: 11,
      high: 13,
    });
  });
});

describe('ratioOf', () => {
  it('compares round with round: a machine that slows down half-way changes nothing', () => {
    const ratio = ratioOf(spreadOf([20, 200, 40]), spreadOf([10, 100, 20]));
    expect(ratio).toEqual({ rounds: [2, 2, 2], median: 2, low: 2, high: 2 });
  });

  it('leaves out rounds that only one of them has', () => {
    expect(ratioOf(spreadOf([6, 9]), spreadOf([3])).rounds).toEqual([2]);
  });
});

describe('percentilesOf', () => {
  it('finds the tail', () => {
    const values = Array.from({ length: 1_001 }, (_, i) => i);
    expect(percentilesOf(values)).toEqual({ count: 1_001, p50: 500, p99: 990, p999: 999, max: 1_000 });
  });

  it('is 0 where nothing was measured', () => {
    expect(percentilesOf([])).toEqual({ count: 0, p50: 0, p99: 0, p999: 0, max: 0 });
  });
});

describe('medianPercentiles', () => {
  it('takes the middle round of each', () => {
    const rounds = [1, 3, 2].map((n) => ({ count: n, p50: n, p99: 10 * n, p999: 5, max: -n }));
    expect(medianPercentiles(rounds)).toEqual({ count: 2, p50: 2, p99: 20, p999: 5, max: -2 });
  });
});
