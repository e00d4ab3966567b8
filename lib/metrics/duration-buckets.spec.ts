import { DURATION_BUCKETS_SECONDS, DurationBuckets } from './duration-buckets.js';

describe('DurationBuckets', () => {
  it('counts each duration in every bucket at or above it', () => {
    const durations = new DurationBuckets();
    for (const ms of [0, 5, 5.001, 100, 10_000, 10_001]) durations.record(ms);

    const { count, sum, buckets } = durations.read();
    const at = (seconds: number): number | undefined => buckets[DURATION_BUCKETS_SECONDS.indexOf(seconds)];
    expect(count).toBe(6);
    expect(sum).toBeCloseTo(20.111_001, 9);
    expect(at(0.005)).toBe(2);
    expect(at(0.01)).toBe(3);
    expect(at(0.1)).toBe(4);
    expect(at(7.5)).toBe(4);
    expect(at(10)).toBe(5);
  });

  it.each([NaN, -1])('counts a duration of %p as 0', (durationMs) => {
    const durations = new DurationBuckets();
    durations.record(durationMs);
    expect(durations.read()).toMatchObject({ count: 1, sum: 0 });
    expect(durations.read().buckets[0]).toBe(1);
  });

  it('returns a copy that later durations do not change', () => {
    const durations = new DurationBuckets();
    const before = durations.read();
    durations.record(1);
    expect(before).toMatchObject({ count: 0, sum: 0 });
    expect(before.buckets.every((value) => value === 0)).toBe(true);
  });
});
