import { renewedRun } from './renewed-run.js';
import { run as fixtureRun } from './report/run.fixture.js';
import { spreadOf } from './statistics.js';

const lock = (ms: number) => ({
  id: 'fleet/lock',
  unit: 'ms',
  better: 'less' as const,
  spread: spreadOf([ms]),
});

describe('renewedRun', () => {
  const kept = { ...fixtureRun, metrics: [...fixtureRun.metrics, lock(1)] };

  it('replaces what was measured anew, and nothing else', () => {
    const { fleet, ...others } = fixtureRun.details;
    const skipped = { skipped: 'there is no redis-server on this machine' };
    const renewed = renewedRun(kept, { ...fixtureRun, metrics: [lock(2)], details: { fleet: skipped } });
    expect(fleet).toBeDefined();
    expect(renewed.details).toEqual({ ...others, fleet: skipped });
    expect(renewed.metrics).toEqual([...fixtureRun.metrics, lock(2)]);
  });

  it('refuses figures of another machine', () => {
    const other = { ...fixtureRun, machine: { ...fixtureRun.machine, cores: 64 } };
    expect(() => renewedRun(kept, other)).toThrow('64 cores');
  });
});
