import { FleetSimulation, type Scenario } from './fleet-simulation.js';
import { type PhaseName, type PhaseReport } from './phase-log.js';
import { callsPerToken, reportTable } from './report-table.js';
import { SIZES } from './scenarios.js';
import { SeededRandom } from './seeded-random.js';

const QUIET: Scenario['phases'] = [
  { name: 'cold start', minutes: 30 },
  { name: 'steady', minutes: 330 },
];
const WITH_OUTAGE: Scenario['phases'] = [
  { name: 'cold start', minutes: 30 },
  { name: 'steady', minutes: 45 },
  { name: 'outage', minutes: 60 },
  { name: 'recovery', minutes: 60 },
  { name: 'restart', minutes: 45 },
];

const run = (scenario: Partial<Scenario>): Promise<PhaseReport[]> =>
  new FleetSimulation({
    processes: 20,
    tenants: 5,
    lock: true,
    seed: 1,
    phases: QUIET,
    ...scenario,
  }).run();

function phaseOf(reports: readonly PhaseReport[], name: PhaseName): PhaseReport {
  const found = reports.find(({ phase }) => phase === name);
  if (!found) throw new Error(`no phase ${name}`);
  return found;
}

/** A machine that is busy otherwise. */
const TIMEOUT_MS = 120_000;

describe('a simulated fleet', () => {
  describe.each(SIZES.small)('of $processes processes and $tenants tenants, six hours', (size) => {
    it(
      'makes one platform call per token and lifetime with the lock; nobody waits once it is warm',
      async () => {
        const reports = await run({ ...size, phases: QUIET });
        const steady = phaseOf(reports, 'steady');
        expect(callsPerToken(phaseOf(reports, 'cold start'))).toBe(1);
        // Three or four lifetimes of every tenant's token and the app's.
        expect(steady.tokens).toBeGreaterThanOrEqual(3 * (size.tenants + 1));
        expect(steady.tokens).toBeLessThanOrEqual(4 * (size.tenants + 1));
        expect(callsPerToken(steady)).toBeLessThanOrEqual(1.02);
        expect(steady).toMatchObject({ lateRenewals: 0, waited: 0, failed: 0, refusedCalls: 0 });
        expect(steady.reads).toBeGreaterThan(15 * size.processes * size.tenants);
      },
      TIMEOUT_MS,
    );

    it(
      'makes hardly more without the lock: whoever comes next finds the token in the store',
      async () => {
        const steady = phaseOf(await run({ ...size, lock: false, phases: QUIET }), 'steady');
        expect(callsPerToken(steady)).toBeGreaterThanOrEqual(1);
        expect(callsPerToken(steady)).toBeLessThanOrEqual(1.1);
        expect(steady).toMatchObject({ lateRenewals: 0, waited: 0, failed: 0 });
      },
      TIMEOUT_MS,
    );
  });

  it(
    'is over an outage of an hour within the next one, with 1.5 calls a token at most',
    async () => {
      const reports = await run({ processes: 8, tenants: 5, phases: WITH_OUTAGE });
      const outage = phaseOf(reports, 'outage');
      const recovery = phaseOf(reports, 'recovery');
      expect(outage).toMatchObject({ tokens: 0, answeredCalls: 0 });
      expect(outage.refusedCalls).toBeGreaterThan(0);
      // Whoever has to wait for a dead platform waits no longer than a flight's deadline.
      expect(outage.slowestReadMs).toBeLessThanOrEqual(8_000);
      expect(recovery.tokens).toBe(6);
      expect(callsPerToken(recovery)).toBeLessThanOrEqual(1.5);
      expect(recovery.failed).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'restarts process by process without one more call, and nobody waits for the platform',
    async () => {
      const phases: Scenario['phases'] = [
        { name: 'cold start', minutes: 30 },
        { name: 'restart', minutes: 45 },
      ];
      const restart = phaseOf(await run({ phases }), 'restart');
      expect(restart).toMatchObject({ tokens: 0, answeredCalls: 0, lateRenewals: 0, failed: 0 });
      expect(restart.slowestReadMs).toBeLessThan(50);
    },
    TIMEOUT_MS,
  );

  it(
    'gives the same report for the same seed, and another one for another',
    async () => {
      const phases = WITH_OUTAGE;
      const small = { processes: 4, tenants: 3, phases };
      const first = await run(small);
      expect(await run(small)).toEqual(first);
      expect(await run({ ...small, seed: 2 })).not.toEqual(first);
    },
    TIMEOUT_MS,
  );
});

describe('SeededRandom', () => {
  it('draws evenly from [0, 1), the same for the same seed', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 10_000 }, () => random.next());
    };
    const drawn = draw(7);
    expect(draw(7)).toEqual(drawn);
    expect(drawn.every((it) => it >= 0 && it < 1)).toBe(true);
    expect(drawn.reduce((sum, it) => sum + it, 0) / drawn.length).toBeCloseTo(0.5, 1);
  });
});

describe('reportTable', () => {
  it('has a line a phase, and a dash where no token was issued', () => {
    const counts = { minutes: 60, refusedCalls: 9, peakCallsPerSecond: 3, lateRenewals: 2 };
    const reads = { reads: 80, waited: 7, failed: 6, slowestReadMs: 5, redisCommands: 7_200 };
    const table = reportTable([
      { phase: 'outage', tokens: 0, answeredCalls: 0, ...counts, ...reads },
      { phase: 'recovery', tokens: 4, answeredCalls: 5, ...counts, ...reads },
    ]).split('\n');
    expect(table).toHaveLength(3);
    expect(table[1]).toMatch(/^outage +60 +0 +- +9 +3 +2 +80 +7 +6 +5 +2$/);
    expect(table[2]).toMatch(/^recovery +60 +4 +1\.250 /);
  });
});
