import { countText, durationText, millisecondsText, percentText, timeText } from './format.js';

describe('durationText', () => {
  it.each([
    [-1, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [250_000, '4 min 10 s'],
    [5_520_000, '1 h 32 min'],
    [90_000_000, '1 d 1 h'],
  ])('writes %p ms as %p', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('percentText', () => {
  it.each([
    [0, '0 %'],
    [0.5, '50.00 %'],
    [0.999_99, '99.99 %'],
    [1, '100 %'],
  ])('writes %p as %p', (ratio, text) => {
    expect(percentText(ratio)).toBe(text);
  });
});

it('writes counts, milliseconds and times', () => {
  expect(countText(1_234_567)).toBe('1,234,567');
  expect([0.04, 9.96, 12.4, 1_250].map(millisecondsText)).toEqual(['0 ms', '10 ms', '12 ms', '1.25 s']);
  expect(timeText('2026-01-02T03:04:05.678Z')).toBe('03:04:05 UTC');
});
