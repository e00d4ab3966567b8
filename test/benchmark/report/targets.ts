import { type Fleet } from '../sections/fleet.js';
import { type AllDetails } from '../sections/index.js';
import { type Spread } from '../statistics.js';
import { figure, spreadText } from './figures.js';

/** A target, the measured value, and whether it is reached. */
export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** No more than rounding: what the measurement itself puts on the heap, spread over its reads. */
const NO_BYTES = 0.5;

export function targetsOf({
  readPath,
  stampede,
  renewal,
  growth,
  day,
  fleet,
}: Partial<AllDetails>): Target[] {
  const targets: Target[] = [];
  if (readPath) targets.push(...readPathTargets(readPath));
  const module = stampede?.peers.find(({ id }) => id === 'module');
  if (module) {
    const worst = Math.max(...module.sizes.flatMap(({ platformCalls }) => platformCalls.rounds));
    targets.push({
      what: `requests for up to ${figure(Math.max(...module.sizes.map((it) => it.callers)))} cold callers`,
      target: 'exactly 1',
      measured: figure(worst),
      isMet: worst === 1,
    });
  }
  const ourDay = day?.designs.find(({ id }) => id === 'module');
  if (ourDay) {
    const { waited, lateRenewals } = ourDay;
    targets.push({
      what: 'reads that waited in a day, late renewals',
      target: '0 and 0',
      measured: `${figure(waited)} and ${figure(lateRenewals)}`,
      isMet: waited === 0 && lateRenewals === 0,
    });
  }
  if (renewal) {
    const { failedReads } = renewal.outage;
    targets.push({
      what: 'failed reads in an outage through the whole renewal window',
      target: '0',
      measured: figure(failedReads),
      isMet: failedReads === 0,
    });
  }
  const largest = growth?.points.at(-1);
  if (largest) {
    const { tenants, peekToFloor, readToFloor } = largest;
    const overFloor = (what: string, ratio: Spread): Target => ({
      what: `${what} over its floor, with ${figure(tenants)} tenants`,
      target: '≤ 2×',
      measured: `${spreadText(ratio)}×`,
      isMet: ratio.median <= 2,
    });
    targets.push(overFloor('`peek()`', peekToFloor));
    targets.push(overFloor('`getTenantAccessToken({ tenantKey })`', readToFloor));
  }
  const heaps = growth?.points.flatMap(({ heapBytesPerTenant, tenants }) =>
    heapBytesPerTenant ? [{ heapBytesPerTenant, tenants }] : [],
  );
  for (const { heapBytesPerTenant, tenants } of heaps ?? []) {
    targets.push({
      what: `heap for each tenant, with ${figure(tenants)} tenants`,
      target: '≤ 1,000 bytes',
      measured: `${figure(heapBytesPerTenant.median)} bytes`,
      isMet: heapBytesPerTenant.median <= 1_000,
    });
  }
  if (fleet && !('skipped' in fleet)) targets.push(...fleetTargets(fleet));
  return targets;
}

/** Beyond the platform's latency, for the process in the middle. */
const COLD_START_MS = 100;

function fleetTargets({ platformLatencyMs, points, lock }: Exclude<Fleet, { skipped: string }>): Target[] {
  const targets: Target[] = [];
  const largest = points.at(-1);
  if (largest) {
    const { processes, coldCalls, coldMedianMs } = largest;
    const calls = Math.max(...coldCalls.rounds);
    const most = platformLatencyMs + COLD_START_MS;
    targets.push({
      what: `cold start of ${figure(processes)} processes: requests, and time to a token`,
      target: `1, ≤ ${most} ms`,
      measured: `${figure(calls)}, ${spreadText(coldMedianMs)} ms`,
      isMet: calls === 1 && coldMedianMs.median <= most,
    });
  }
  targets.push({
    what: 'taking and releasing the lock, over a bare pair of commands',
    target: '≤ 2×',
    measured: `${spreadText(lock.toBare)}×`,
    isMet: lock.toBare.median <= 2,
  });
  return targets;
}

function readPathTargets({ results, ratios }: AllDetails['readPath']): Target[] {
  const overFloor = (what: string, id: string): Target => {
    const ratio = ratios.toFloor[id];
    return {
      what,
      target: '≤ 2×',
      measured: ratio ? `${spreadText(ratio)}×` : 'not measured',
      isMet: (ratio?.median ?? Number.NaN) <= 2,
    };
  };
  const bytes = results.find(({ id }) => id === 'peek')?.bytesPerRead.median ?? Number.NaN;
  const atLeast = (what: string, least: number, id: string): Target => {
    const ratio = ratios.peers[id];
    const median = ratio?.median ?? Number.NaN;
    return {
      what,
      target: `≥ ${least}×`,
      measured: ratio ? `${spreadText(ratio)}×` : 'not measured',
      isMet: median >= least,
    };
  };
  return [
    overFloor('`peek()` over its floor', 'peek'),
    {
      what: '`peek()`, allocated',
      target: '0 bytes',
      measured: `${bytes < NO_BYTES ? 0 : figure(bytes)} bytes`,
      isMet: bytes < NO_BYTES,
    },
    overFloor('`get()` over its floor', 'get'),
    atLeast('faster than `cache-manager`’s `wrap()`', 5, 'cache-manager'),
    atLeast('faster than the official SDK', 50, 'lark-sdk'),
  ];
}
