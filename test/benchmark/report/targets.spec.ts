import { day, fleetOf, readPathOf, renewal, run } from './run.fixture.js';
import { targetsOf } from './targets.js';

describe('targetsOf', () => {
  const met = (details: Parameters<typeof targetsOf>[0]): Record<string, boolean> =>
    Object.fromEntries(targetsOf(details).map(({ what, isMet }) => [what, isMet]));

  it('tells what was reached and what was not', () => {
    expect(met(run.details)).toEqual({
      '`peek()` over its floor': true,
      '`peek()`, allocated': true,
      '`get()` over its floor': true,
      'faster than `cache-manager`’s `wrap()`': true,
      'faster than the official SDK': false,
      'requests for up to 1,000 cold callers': true,
      'reads that waited in a day, late renewals': true,
      'failed reads in an outage through the whole renewal window': true,
      '`peek()` over its floor, with 10,000 tenants': true,
      '`getTenantAccessToken({ tenantKey })` over its floor, with 10,000 tenants': false,
      'heap for each tenant, with 10,000 tenants': true,
      'cold start of 4 processes: requests, and time to a token': true,
      'taking and releasing the lock, over a bare pair of commands': true,
    });
  });

  it('takes no bytes for none, and 16 for what they are', () => {
    expect(met({ readPath: readPathOf(90, 16) })).toMatchObject({
      '`peek()` over its floor': false,
      '`peek()`, allocated': false,
    });
  });

  it('forgives no read that waited in a day', () => {
    const designs = day.designs.map((design) => ({ ...design, waited: 1 }));
    expect(met({ day: { ...day, designs } })).toEqual({ 'reads that waited in a day, late renewals': false });
  });

  it('forgives no read that failed in an outage', () => {
    const outage = { ...renewal.outage, failedReads: 1 };
    expect(Object.values(met({ renewal: { ...renewal, outage } }))).toEqual([false]);
  });

  it.each([
    ['a second request in one round', fleetOf(2, 137, 1.7), [false, true]],
    ['a token that comes late', fleetOf(1, 151, 1.7), [false, true]],
    ['a lock that costs more than twice a bare one', fleetOf(1, 137, 2.1), [true, false]],
  ] as const)('sees of a fleet %s', (_, fleet, expected) => {
    expect(Object.values(met({ fleet }))).toEqual(expected);
  });

  it('asks nothing of a fleet that was skipped', () => {
    expect(targetsOf({ fleet: { skipped: 'no redis-server' } })).toEqual([]);
  });

  it('says nothing of what was not measured', () => {
    expect(targetsOf({})).toEqual([]);
  });
});
