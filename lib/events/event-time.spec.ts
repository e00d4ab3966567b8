import { deliveryTime, eventTime, isTimely } from './event-time.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

describe('the timestamp of a delivery', () => {
  it.each([
    ['1767225600', NOW],
    ['1767225600123', NOW + 123],
    ['176722560', undefined],
    ['17672256001', undefined],
    ['17672256001234', undefined],
    ['+767225600', undefined],
    ['1767225600 ', undefined],
    ['1.76722560', undefined],
    ['١٧٦٧٢٢٥٦٠٠', undefined],
    ['', undefined],
  ])('%j is %p', (timestamp, expected) => {
    expect(deliveryTime(timestamp)).toBe(expected);
  });

  it.each([
    [0, true],
    [5 * 60_000, true],
    [5 * 60_000 + 1, false],
    [-8 * HOUR, true],
    [-8 * HOUR - 1, false],
  ])('%i ms off: %p', (offset, expected) => {
    expect(isTimely(String(NOW + offset), NOW, 8 * HOUR)).toBe(expected);
  });

  it('is never timely when it is none', () => {
    expect(isTimely('now', NOW, Infinity)).toBe(false);
  });
});

describe("an event's own time", () => {
  it.each([
    ['1502199207.7171419', 1_502_199_207_717.142],
    ['1603977298', 1_603_977_298_000],
    ['1603977298000', 1_603_977_298_000],
    ['1603977298000000', 1_603_977_298_000],
    ['1603977298000000000', 1_603_977_298_000],
    [1_603_977_298_000, 1_603_977_298_000],
  ])('%p is %p', (value, expected) => {
    expect(eventTime(value)).toBeCloseTo(expected, 2);
  });

  it.each([
    [undefined],
    [null],
    [''],
    ['soon'],
    ['-1603977298'],
    ['16039772980000000000000'],
    [Number.NaN],
    [{}],
  ])('%p is none', (value) => {
    expect(eventTime(value)).toBeUndefined();
  });
});
