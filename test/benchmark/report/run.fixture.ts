import { type Run } from '../run.js';
import { type Day } from '../sections/day.js';
import { type Designs } from '../sections/designs.js';
import { type Fleet } from '../sections/fleet.js';
import { type Growth } from '../sections/growth.js';
import { type ReadPath } from '../sections/read-path.js';
import { type Renewal, type Traffic } from '../sections/renewal.js';
import { type Stampede } from '../sections/stampede.js';
import { QUICK } from '../sizes.js';
import { spreadOf } from '../statistics.js';

// A run that nobody measured: small, and with figures that can be told apart.

const one = (value: number): ReturnType<typeof spreadOf> => spreadOf([value]);

export const readPathOf = (peek: number, bytes: number): ReadPath => ({
  results: [
    { id: 'floor-sync', name: 'floor', nsPerRead: one(40), bytesPerRead: one(16) },
    { id: 'peek', name: 'peek()', nsPerRead: one(peek), bytesPerRead: one(bytes) },
  ],
  ratios: {
    toFloor: { peek: one(peek / 40), get: one(1.5) },
    peers: { 'cache-manager': one(20), 'lark-sdk': one(49) },
  },
  interceptorNs: one(2_000),
  requestNs: spreadOf([300_000, 400_000, 500_000]),
});

const expiring: Designs['designs'][number]['expiring'] = {
  throughput: [{ callers: 100, readsPerSecond: spreadOf([1_000, 2_000, 3_000]) }],
  readsPerSecond: spreadOf([1_000, 2_000, 3_000]),
  latency: { count: 9, p50: 0.05, p99: 300, p999: 320, max: 330 },
  p99: one(300),
  meanMs: one(20),
  platformCalls: spreadOf([6, 7, 8]),
  waited: one(9_000),
  lateRenewals: one(6),
  overTime: [
    { atMs: 0, slowestMs: 0.5 },
    { atMs: 25, slowestMs: 330 },
  ],
};

const designs: Designs = {
  tenants: 5,
  platformLatencyMs: 50,
  lifetimeSeconds: 1,
  readsPerSecond: 20_000,
  callers: 100,
  designs: [
    {
      id: 'mutex',
      name: '(0) one mutex',
      cold: [{ callers: 100, platformCalls: one(6), lastAnswerMs: spreadOf([310, 320, 330]) }],
      steady: [{ callers: 100, readsPerSecond: one(1_500_000) }],
      expiring,
      throughputToMutex: one(1),
      latencyToMutex: one(1),
    },
    {
      id: 'single-flight',
      name: '(2) single flight',
      predicted: { throughput: 200, latency: -50 },
      cold: [{ callers: 100, platformCalls: one(6), lastAnswerMs: one(120) }],
      steady: [{ callers: 100, readsPerSecond: one(3_700_000) }],
      expiring,
      throughputToMutex: one(2.28),
      latencyToMutex: one(0.11),
    },
  ],
};

const dayOf = (id: string, waited: number, lateRenewals: number): Day['designs'][number] => ({
  id,
  name: id,
  reads: 28_800,
  latency: { count: 28_780, p50: 1, p99: 2, p999: 3, max: 100 },
  platformCalls: 78,
  waited,
  lateRenewals,
});

export const day: Day = {
  stepMs: 60_000,
  tenants: 5,
  readers: 20,
  platformLatencyMs: 50,
  designs: [dayOf('prewarmed', 240, 72), dayOf('module', 0, 0)],
};

const stampede: Stampede = {
  platformLatencyMs: 50,
  peers: [
    {
      id: 'module',
      name: 'ours',
      sizes: [{ callers: 1_000, platformCalls: one(1), lastAnswerMs: spreadOf([54, 60, 66]), failed: 0 }],
    },
    {
      id: 'lark-sdk',
      name: 'theirs',
      sizes: [{ callers: 1_000, platformCalls: one(1_000), lastAnswerMs: one(1_600), failed: 3 }],
    },
  ],
};

const traffic = (rotations: number, slow: number): Traffic => ({
  reads: 120_000,
  slow: spreadOf([slow, 2 * slow, 3 * slow]),
  latency: { count: 120_000, p50: 0.02, p99: 1, p999: 9, max: 11 },
  rotations: one(rotations),
  waits: 0,
});

export const renewal: Renewal = {
  durationMs: 2_400,
  lifetimeSeconds: 2,
  readsPerSecond: 50_000,
  rotating: traffic(2, 700),
  still: traffic(0, 400),
  outage: { minutes: 28.5, reads: 171_000, failedReads: 0, attempts: 35, recoveredAfterMs: 20_000 },
};

const growth: Growth = {
  startupMs: one(5),
  fetchLoadMs: one(20),
  points: [
    {
      tenants: 10_000,
      readNs: one(500),
      peekNs: one(100),
      syncFloorNs: one(90),
      asyncFloorNs: one(240),
      peekToFloor: one(1.1),
      readToFloor: one(2.1),
      heapBytesPerTenant: one(900),
      firstSweepMs: one(45),
      sweepMs: one(7),
      fetchedPerSecond: one(3_000),
    },
  ],
};

export const fleetOf = (calls: number, medianMs: number, lockToBare: number): Fleet => ({
  platformLatencyMs: 50,
  points: [
    {
      processes: 4,
      coldCalls: spreadOf([1, 1, calls]),
      coldMedianMs: one(medianMs),
      coldLastMs: one(225),
      coldCpuMs: one(120),
      callsPerRotation: one(1),
    },
  ],
  lock: { roundTrips: 2, ms: one(0.17), bareMs: one(0.1), toBare: one(lockToBare) },
});

export const run: Run = {
  measuredAt: '2026-01-02',
  size: QUICK,
  machine: {
    cpu: 'A Processor',
    cores: 2,
    memoryGiB: 8,
    node: '20.19.0',
    v8: '11.3',
    platform: 'linux x64',
    versions: { 'cache-manager': '7.2.9' },
  },
  tookSeconds: 100,
  metrics: [{ id: 'read/peek/ns', unit: 'ns', better: 'less', spread: spreadOf([60, 61, 62]) }],
  details: {
    readPath: readPathOf(60, 0.01),
    designs,
    day,
    stampede,
    renewal,
    growth,
    fleet: fleetOf(1, 137, 1.7),
  },
};
