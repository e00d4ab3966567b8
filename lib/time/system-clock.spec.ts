import { getEventListeners } from 'node:events';
import { type ClockTimer } from './clock.js';
import { SystemRandomSource } from './random-source.js';
import { SystemClock } from './system-clock.js';

const clock = new SystemClock();
const hasRef = ({ handle }: ClockTimer): boolean => (handle as NodeJS.Timeout).hasRef();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('SystemClock', () => {
  it("returns the machine's wall clock", () => {
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('has a monotonic clock that never decreases', () => {
    const times = Array.from({ length: 1_000 }, () => clock.monotonic());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('has the same monotonic clock as performance.now()', () => {
    expect(Math.abs(clock.monotonic() - performance.now())).toBeLessThan(1_000);
  });

  it('returns the wall clock at a monotonic time with an error of at most one millisecond', () => {
    for (let read = 0; read < 1_000; read++) {
      const before = Date.now();
      const wall = clock.wallAt(clock.monotonic());
      expect(wall).toBeGreaterThanOrEqual(before - 1);
      expect(wall).toBeLessThanOrEqual(Date.now());
    }
  });

  describe('with fake timers', () => {
    const { now: wall } = Date;
    // oxlint-disable-next-line typescript/unbound-method -- restored after each test
    const { now: monotonic } = performance;
    afterEach(() => {
      Date.now = wall;
      performance.now = monotonic;
    });

    it('calls the replaced functions at every read', () => {
      clock.wallAt(clock.monotonic());
      for (const faked of [3_600_000, 7_200_000, 1]) {
        Date.now = () => faked;
        performance.now = () => faked / 2;
        expect([clock.now(), clock.monotonic()]).toEqual([faked, faked / 2]);
        expect(clock.wallAt(clock.monotonic())).toBe(faked);
      }
    });

    it('reads the wall clock again while the monotonic clock stands still', () => {
      performance.now = () => 5;
      Date.now = () => 10;
      expect(clock.wallAt(clock.monotonic())).toBe(10);
      Date.now = wall;
      expect(clock.wallAt(clock.monotonic())).toBeGreaterThan(10);
    });

    it('uses the machine again after the fake timers are removed', () => {
      Date.now = () => 10;
      performance.now = () => 1e12;
      clock.wallAt(clock.monotonic());
      Date.now = wall;
      performance.now = monotonic;
      expect(Math.abs(clock.wallAt(clock.monotonic()) - Date.now())).toBeLessThan(1_000);
    });
  });

  it('calls back once', async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      clock.setTimeout(() => resolve(void calls++), 1, { ref: true });
    });
    await turn();
    expect(calls).toBe(1);
  });

  it('calls back immediately for a time in the past', async () => {
    let calls = 0;
    const called = new Promise<void>((resolve) => {
      clock.setTimeout(() => resolve(void calls++), -1_000, { ref: true });
    });
    await called;
    expect(calls).toBe(1);
  });

  it('calls back repeatedly', async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      const timer = clock.setInterval(
        () => {
          if (++calls < 3) return;
          timer.cancel();
          resolve();
        },
        1,
        { ref: true },
      );
    });
    expect(calls).toBe(3);
  });

  it.each(['setTimeout', 'setInterval'] as const)(
    'keeps the process alive by %s only with ref: true',
    (method) => {
      const timers = [
        clock[method](() => undefined, 60_000),
        clock[method](() => undefined, 60_000, { ref: false }),
        clock[method](() => undefined, 60_000, { ref: true }),
      ];
      expect(timers.map(hasRef)).toEqual([false, false, true]);
      for (const timer of timers) timer.cancel();
    },
  );

  // Node fires a timer longer than 2^31-1 ms immediately.
  it.each(['setTimeout', 'setInterval'] as const)(
    'does not fire early with a delay that is too long for %s',
    async (method) => {
      let calls = 0;
      const timer = clock[method](() => calls++, 2 ** 31);
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 20, { ref: true }));
      timer.cancel();
      expect(calls).toBe(0);
    },
  );

  it('does not call back after cancel(), which may be called twice', async () => {
    let calls = 0;
    const timers = [clock.setTimeout(() => calls++, 1), clock.setInterval(() => calls++, 1)];
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 10, { ref: true }));
    expect(calls).toBe(0);
  });

  describe('sleep', () => {
    it('resolves after the time', async () => {
      const startedAt = clock.monotonic();
      await clock.sleep(20, undefined, { ref: true });
      expect(clock.monotonic() - startedAt).toBeGreaterThan(15);
    });

    it('resolves immediately if the signal is aborted', async () => {
      const startedAt = clock.monotonic();
      await clock.sleep(3_600_000, AbortSignal.abort());
      expect(clock.monotonic() - startedAt).toBeLessThan(1_000);
    });

    it('resolves at the abort and removes its timer', async () => {
      const controller = new AbortController();
      const sleeping = clock.sleep(3_600_000, controller.signal);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      controller.abort();
      await sleeping;
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    it('removes its listener after the delay', async () => {
      const { signal } = new AbortController();
      await clock.sleep(1, signal, { ref: true });
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });
});

describe('SystemRandomSource', () => {
  it('returns different numbers in [0, 1)', () => {
    const random = new SystemRandomSource();
    const numbers = Array.from({ length: 100 }, () => random.next());
    expect(numbers.filter((n) => n < 0 || n >= 1)).toEqual([]);
    expect(new Set(numbers).size).toBeGreaterThan(50);
  });
});
