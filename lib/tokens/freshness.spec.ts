import * as fc from 'fast-check';
import { propertyRuns } from '../../test/fixtures/property-runs.js';
import {
  backgroundBackoff,
  contendedPause,
  failFastBackoff,
  freshnessOf,
  isRenewalDue,
  nextAttemptAfterNoop,
  pauseBeforeMust,
  SAME_TOKEN_WINDOW_MS,
  tokenTime,
  windowsOf,
  type Freshness,
  type FreshnessView,
  type TokenWindows,
} from './freshness.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const AHEAD = [22 * MINUTE, 28 * MINUTE] as const;
const SHORT_LIFE = 31 * MINUTE;
const NOW = Date.UTC(2026, 0, 1);

/** What epoch milliseconds can hold as doubles: no finer than a quarter of a microsecond. */
const EPSILON = 0.001;

const start = fc.integer({ min: NOW, max: NOW + 10 * 365 * 24 * HOUR });
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const anyLife = fc.oneof(between(1, MINUTE), between(1, SHORT_LIFE), between(1, 48 * HOUR));
const longLife = between(SHORT_LIFE, 48 * HOUR);
const shortLife = between(1, SHORT_LIFE).filter((life) => life < SHORT_LIFE);
const anyAhead = fc
  .tuple(between(0, SAME_TOKEN_WINDOW_MS), between(0, SAME_TOKEN_WINDOW_MS))
  .map(([one, other]): [number, number] => [Math.min(one, other), Math.max(one, other)]);

describe('windowsOf', () => {
  it('orders the windows for every life, range and draw', () => {
    fc.assert(
      fc.property(start, anyLife, anyAhead, draw, (startedAt, life, ahead, random) => {
        const expiresAt = startedAt + life;
        const windows = windowsOf(expiresAt, life, ahead, random);
        expect(windows.expiresAt).toBe(expiresAt);
        expect(windows.refreshAt).toBeLessThanOrEqual(windows.mustAt);
        expect(windows.mustAt).toBeLessThanOrEqual(windows.deadAt);
        expect(windows.deadAt).toBeLessThan(windows.expiresAt);
      }),
      propertyRuns(1_000),
    );
  });

  it('renews a long life 22 to 28 minutes before its end, whatever its length', () => {
    fc.assert(
      fc.property(start, longLife, draw, (startedAt, life, random) => {
        const expiresAt = startedAt + life;
        const { refreshAt, mustAt, deadAt } = windowsOf(expiresAt, life, AHEAD, random);
        expect(refreshAt).toBeGreaterThanOrEqual(expiresAt - 28 * MINUTE - EPSILON);
        expect(refreshAt).toBeLessThanOrEqual(expiresAt - 22 * MINUTE + EPSILON);
        // Never while the platform would hand out the same token again.
        expect(refreshAt).toBeGreaterThan(expiresAt - SAME_TOKEN_WINDOW_MS);
        expect(mustAt).toBe(expiresAt - MINUTE);
        expect(deadAt).toBe(expiresAt - 10 * SECOND);
      }),
      propertyRuns(1_000),
    );
  });

  it('renews a short life at 50 to 70 % of it, with must and dead in proportion', () => {
    fc.assert(
      fc.property(start, shortLife, anyAhead, draw, (startedAt, life, ahead, random) => {
        const expiresAt = startedAt + life;
        const { refreshAt, mustAt, deadAt } = windowsOf(expiresAt, life, ahead, random);
        expect(refreshAt).toBeGreaterThanOrEqual(startedAt + 0.5 * life - EPSILON);
        expect(refreshAt).toBeLessThanOrEqual(startedAt + 0.7 * life + EPSILON);
        expect(Math.abs(expiresAt - mustAt - Math.min(MINUTE, 0.1 * life))).toBeLessThan(EPSILON);
        expect(Math.abs(expiresAt - deadAt - Math.min(10 * SECOND, 0.05 * life))).toBeLessThan(EPSILON);
      }),
      propertyRuns(1_000),
    );
  });

  it('takes the whole range of draws, the earliest at the greatest', () => {
    const at = (random: number): number => HOUR - windowsOf(HOUR, HOUR, AHEAD, random).refreshAt;
    expect(at(0)).toBe(22 * MINUTE);
    expect(at(0.5)).toBe(25 * MINUTE);
    expect(at(1 - 2 ** -32)).toBeCloseTo(28 * MINUTE, 2);
  });

  it.each([
    { lifeS: 7_200, refreshS: 7_200 - 25 * 60, mustS: 7_140, deadS: 7_190 },
    { lifeS: 31 * 60, refreshS: 6 * 60, mustS: 30 * 60, deadS: 31 * 60 - 10 },
    { lifeS: 30 * 60, refreshS: 18 * 60, mustS: 29 * 60, deadS: 30 * 60 - 10 },
    { lifeS: 200, refreshS: 120, mustS: 180, deadS: 190 },
    { lifeS: 90, refreshS: 54, mustS: 81, deadS: 85.5 },
    { lifeS: 30, refreshS: 18, mustS: 27, deadS: 28.5 },
    { lifeS: 1, refreshS: 0.6, mustS: 0.9, deadS: 0.95 },
  ])('#21 gives a life of $lifeS s its windows', ({ lifeS, refreshS, mustS, deadS }) => {
    const windows = windowsOf(lifeS * SECOND, lifeS * SECOND, AHEAD, 0.5);
    expect(windows.refreshAt).toBeCloseTo(refreshS * SECOND, 6);
    expect(windows.mustAt).toBeCloseTo(mustS * SECOND, 6);
    expect(windows.deadAt).toBeCloseTo(deadS * SECOND, 6);
  });
});

describe('tokenTime', () => {
  const clocks = fc.record({ wall: start, monotonic: between(0, 1_000 * HOUR) });
  const jump = between(-48 * HOUR, 48 * HOUR);

  it('is the wall clock while neither clock was tampered with', () => {
    fc.assert(
      fc.property(clocks, between(0, HOUR), ({ wall, monotonic }, passed) => {
        const time = tokenTime(wall + passed, monotonic + passed, wall - monotonic);
        expect(Math.abs(time - (wall + passed))).toBeLessThan(EPSILON);
      }),
      propertyRuns(300),
    );
  });

  it('#25 #26 runs at least as far as either clock, wherever the wall clock jumps', () => {
    fc.assert(
      fc.property(clocks, between(0, HOUR), jump, ({ wall, monotonic }, passed, jumped) => {
        const time = tokenTime(wall + passed + jumped, monotonic + passed, wall - monotonic);
        expect(time - wall).toBeGreaterThanOrEqual(passed - EPSILON);
        expect(time - wall).toBeGreaterThanOrEqual(passed + jumped - EPSILON);
        expect(time - wall).toBeLessThanOrEqual(passed + Math.max(0, jumped) + EPSILON);
      }),
      propertyRuns(500),
    );
  });

  it('never goes back while time passes between jumps, nor before its start after any of them', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: between(0, HOUR) }),
      fc.record({ kind: fc.constant('sleep' as const), ms: between(0, 8 * HOUR) }),
      fc.record({ kind: fc.constant('jump' as const), ms: jump }),
    );
    fc.assert(
      fc.property(clocks, fc.array(step, { maxLength: 20 }), (begin, steps) => {
        const anchor = begin.wall - begin.monotonic;
        let { wall, monotonic } = begin;
        let passed = 0;
        for (const { kind, ms } of steps) {
          const before = tokenTime(wall, monotonic, anchor);
          wall += ms;
          if (kind === 'pass') {
            monotonic += ms;
            passed += ms;
          }
          const after = tokenTime(wall, monotonic, anchor);
          const maySetBack = kind === 'jump' ? Math.min(0, ms) : 0;
          expect(after).toBeGreaterThanOrEqual(before + maySetBack - EPSILON);
          expect(after - begin.wall).toBeGreaterThanOrEqual(passed - EPSILON);
        }
      }),
      propertyRuns(300),
    );
  });
});

/** A token of two hours that began at 0 and was drawn in the middle. */
const WINDOWS = windowsOf(2 * HOUR, 2 * HOUR, AHEAD, 0.5);
const MONOTONIC = 5_000;

const view = (changes: Partial<FreshnessView> = {}): FreshnessView => ({
  windows: WINDOWS,
  renewalFailed: false,
  nextAttemptAt: -Infinity,
  failFastUntil: -Infinity,
  ...changes,
});

describe('freshnessOf', () => {
  const { refreshAt, mustAt, deadAt, expiresAt } = WINDOWS;

  it.each<[string, number, Freshness, Freshness]>([
    ['its start', 0, 'fresh', 'fresh'],
    ['refreshAt - 1 ms', refreshAt - 1, 'fresh', 'fresh'],
    ['refreshAt', refreshAt, 'refresh-ahead', 'stale-but-valid'],
    ['refreshAt + 1 ms', refreshAt + 1, 'refresh-ahead', 'stale-but-valid'],
    ['mustAt - 1 ms', mustAt - 1, 'refresh-ahead', 'stale-but-valid'],
    ['mustAt', mustAt, 'must-refresh', 'must-refresh'],
    ['mustAt + 1 ms', mustAt + 1, 'must-refresh', 'must-refresh'],
    ['deadAt - 1 ms', deadAt - 1, 'must-refresh', 'must-refresh'],
    ['deadAt', deadAt, 'empty', 'empty'],
    ['deadAt + 1 ms', deadAt + 1, 'empty', 'empty'],
    ['expiresAt', expiresAt, 'empty', 'empty'],
  ])('#24 at %s', (_, time, healthy, failing) => {
    expect(freshnessOf(view(), time, MONOTONIC)).toBe(healthy);
    expect(freshnessOf(view({ renewalFailed: true }), time, MONOTONIC)).toBe(failing);
  });

  it.each<[number, Freshness]>([
    [-1, 'failing'],
    [0, 'empty'],
    [1, 'empty'],
  ])('#52 fails fast until failFastUntil, and at %d ms from it is %s', (offset, expected) => {
    const failing = { failFastUntil: MONOTONIC, renewalFailed: true };
    expect(freshnessOf(view({ ...failing, windows: undefined }), 0, MONOTONIC + offset)).toBe(expected);
    expect(freshnessOf(view(failing), deadAt, MONOTONIC + offset)).toBe(expected);
    // A token that may be used is served, however much is failing.
    expect(freshnessOf(view(failing), deadAt - 1, MONOTONIC + offset)).toBe('must-refresh');
  });

  it('calls nothing usable at or after its dead line, and everything before it', () => {
    fc.assert(
      fc.property(anyLife, draw, between(0, 1.5), fc.boolean(), (life, random, share, renewalFailed) => {
        const windows = windowsOf(NOW + life, life, AHEAD, random);
        const time = NOW + share * life;
        const freshness = freshnessOf(view({ windows, renewalFailed }), time, MONOTONIC);
        expect(freshness === 'empty').toBe(time >= windows.deadAt);
      }),
      propertyRuns(500),
    );
  });
});

describe('isRenewalDue', () => {
  const STATES: [Freshness, boolean][] = [
    ['fresh', false],
    ['refresh-ahead', true],
    ['stale-but-valid', true],
    ['must-refresh', true],
    ['empty', false],
    ['failing', false],
  ];

  it.each(STATES)('in state %s, from nextAttemptAt on: %s', (freshness, isDue) => {
    const paced = view({ nextAttemptAt: MONOTONIC });
    expect(isRenewalDue(paced, freshness, MONOTONIC - 1)).toBe(false);
    expect(isRenewalDue(paced, freshness, MONOTONIC)).toBe(isDue);
    expect(isRenewalDue(paced, freshness, MONOTONIC + 1)).toBe(isDue);
  });
});

describe('backoff', () => {
  const random = draw;
  const failures = fc.integer({ min: 1, max: 5_000 });

  it.each([
    ['backgroundBackoff', backgroundBackoff, SECOND, MINUTE],
    ['failFastBackoff', failFastBackoff, 0.5 * SECOND, 15 * SECOND],
  ] as const)(
    '%s doubles from its first pause to its longest, times U(0.5, 1)',
    (_, backoff, first, longest) => {
      fc.assert(
        fc.property(failures, random, (count, jitter) => {
          const pause = backoff(count, jitter);
          const whole = Math.min(longest, first * 2 ** Math.min(count - 1, 20));
          expect(pause).toBeGreaterThanOrEqual(0.5 * whole);
          expect(pause).toBeLessThanOrEqual(whole);
          expect(backoff(count + 1, jitter)).toBe(
            whole === longest ? pause : Math.min(2 * pause, backoff(5_000, jitter)),
          );
        }),
        propertyRuns(500),
      );
      expect(backoff(1, 0)).toBe(0.5 * first);
      expect(backoff(2, 0)).toBe(first);
      expect(backoff(30, 0)).toBe(0.5 * longest);
    },
  );

  it('#15 makes at most 56 attempts in a background outage of 25 minutes', () => {
    let attempts = 0;
    for (let time = 0; time < 25 * MINUTE; time += backgroundBackoff(attempts, 0)) attempts++;
    expect(attempts).toBeLessThanOrEqual(56);
  });

  it('looks again at a contended key in 1 to 2 s, then after twice as long each time, up to a minute', () => {
    fc.assert(
      fc.property(random, fc.integer({ min: 1, max: 100 }), (jitter, timesInARow) => {
        const least = Math.min(30 * SECOND, 2 ** (timesInARow - 1) * SECOND);
        expect(contendedPause(timesInARow, jitter)).toBeGreaterThanOrEqual(least);
        expect(contendedPause(timesInARow, jitter)).toBeLessThanOrEqual(2 * least);
      }),
      propertyRuns(100),
    );
  });
});

describe('nextAttemptAfterNoop', () => {
  it('#19 never loops: later than now, not before the platform would hand out another, at most a minute away then', () => {
    fc.assert(
      fc.property(start, between(-HOUR, 48 * HOUR), (time, left) => {
        const expiresAt = time + left;
        const line = expiresAt - SAME_TOKEN_WINDOW_MS + 5 * SECOND;
        const next = nextAttemptAfterNoop(expiresAt, time);
        expect(next).toBeGreaterThanOrEqual(time + 2 * SECOND);
        expect(next).toBeGreaterThanOrEqual(line);
        expect(next).toBeLessThanOrEqual(Math.max(line, time + MINUTE));
      }),
      propertyRuns(1_000),
    );
  });

  it.each([
    ['two hours', 2 * HOUR, 2 * HOUR - SAME_TOKEN_WINDOW_MS + 5 * SECOND],
    ['30 min 55 s', 30 * MINUTE + 55 * SECOND, MINUTE],
    ['20 min', 20 * MINUTE, MINUTE],
    ['10 min', 10 * MINUTE, MINUTE],
    ['5 min', 5 * MINUTE, 30 * SECOND],
    ['10 s', 10 * SECOND, 2 * SECOND],
    ['nothing', 0, 2 * SECOND],
  ])('asks again, with %s left, in the time that the design names', (_, left, pause) => {
    expect(nextAttemptAfterNoop(NOW + left, NOW) - NOW).toBe(pause);
  });
});

describe('pauseBeforeMust', () => {
  it('never goes past mustAt while that is to come, and changes no pause after it', () => {
    fc.assert(
      fc.property(anyLife, draw, between(0, 1.2), between(0, HOUR), (life, random, share, pause) => {
        const windows: TokenWindows = windowsOf(NOW + life, life, AHEAD, random);
        const time = NOW + share * life;
        const kept = pauseBeforeMust(pause, windows, time);
        expect(kept).toBeGreaterThanOrEqual(0);
        expect(kept).toBeLessThanOrEqual(pause);
        const isCut = time < windows.mustAt && time + pause > windows.mustAt;
        const expected = isCut ? windows.mustAt - time : pause;
        expect(Math.abs(kept - expected)).toBeLessThan(EPSILON);
      }),
      propertyRuns(500),
    );
  });

  it('is cut at mustAt, ±1 ms', () => {
    const { mustAt } = WINDOWS;
    expect(pauseBeforeMust(MINUTE, WINDOWS, mustAt - MINUTE - 1)).toBe(MINUTE);
    expect(pauseBeforeMust(MINUTE, WINDOWS, mustAt - 1)).toBe(1);
    expect(pauseBeforeMust(MINUTE, WINDOWS, mustAt)).toBe(MINUTE);
    expect(pauseBeforeMust(MINUTE, WINDOWS, mustAt + 1)).toBe(MINUTE);
  });
});
