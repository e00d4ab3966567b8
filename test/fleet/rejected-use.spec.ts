import { type RejectedUse, verdictOn } from './rejected-use.js';

const HOUR = 3_600_000;

describe('a rejected use of a token', () => {
  // A token of 10 s is not handed out in its last half second, one of two hours not in its last ten.
  it.each<[string, string, Omit<RejectedUse, 'value'>]>([
    [
      'stalled',
      'the answer took longer than what was left',
      { lifeMs: 10_000, leftMs: 4_000, tookMs: 4_001 },
    ],
    ['rejected', 'the answer was quick', { lifeMs: 10_000, leftMs: 4_000, tookMs: 20 }],
    ['rejected', 'the answer took all that was left', { lifeMs: 10_000, leftMs: 4_000, tookMs: 4_000 }],
    ['rejected', 'it had ended before it was read', { lifeMs: 10_000, leftMs: -1, tookMs: 20 }],
    ['rejected', 'it had ended, and the answer was slow', { lifeMs: 10_000, leftMs: -1, tookMs: 30_000 }],
    ['rejected', 'it ended as it was read', { lifeMs: 10_000, leftMs: 0, tookMs: 30_000 }],
    ['stalled', 'it had its margin to live, no more', { lifeMs: 10_000, leftMs: 500, tookMs: 30_000 }],
    ['rejected', 'it had less than its margin to live', { lifeMs: 10_000, leftMs: 499, tookMs: 30_000 }],
    ['stalled', 'a long-lived one had ten seconds', { lifeMs: 2 * HOUR, leftMs: 10_000, tookMs: 30_000 }],
    ['rejected', 'a long-lived one had less', { lifeMs: 2 * HOUR, leftMs: 9_999, tookMs: 30_000 }],
  ])('counts as %s: %s', (verdict, _why, use) => {
    expect(verdictOn({ value: 'a-token', ...use })).toBe(verdict);
  });
});
