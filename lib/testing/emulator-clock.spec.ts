import { jest } from '@jest/globals';
import { EmulatorClock } from './emulator-clock.js';

describe('EmulatorClock', () => {
  it('is real time until it is advanced', () => {
    const clock = new EmulatorClock();
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
    clock.advance(3_600_000);
    expect(clock.now()).toBeGreaterThanOrEqual(now + 3_600_000);
  });

  it('stands still once frozen, but for what it is advanced by', () => {
    const realTime = jest.spyOn(Date, 'now').mockReturnValue(1_000);
    const clock = new EmulatorClock();
    clock.freeze();
    realTime.mockReturnValue(9_000);
    clock.freeze();
    expect(clock.now()).toBe(1_000);
    clock.advance(5);
    expect(clock.now()).toBe(1_005);
    realTime.mockRestore();
  });

  it.each([-1, Number.NaN, Infinity])('does not go by %p ms', (ms) => {
    expect(() => new EmulatorClock().advance(ms)).toThrow(RangeError);
  });
});
