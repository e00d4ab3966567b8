import { availableParallelism } from 'node:os';
import { type FleetProcessCalls } from '../load/fleet-process.js';
import { Platform } from '../load/platform.js';
import { redisVersion } from '../load/redis-binary.js';
import { RedisHost } from '../load/redis-host.js';
import { Helper } from '../load/rpc.js';
import { type Metric } from '../metric.js';
import { quantile, ratioOf, spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

const LATENCY_MS = 50;
/**
 * The platform gives a new token only when less than 3 of its 4 seconds are left, so that a second request for the same
 * renewal gets the same token: the tokens count the rotations.
 */
const ROTATING = { lifetimeSeconds: 4, renewalWindowSeconds: 3 };

const CYCLES = 200;
const SETTLE_MS = 1_000;

export interface FleetPoint {
  readonly processes: number;
  readonly coldCalls: Spread;
  /** Until the process in the middle had its token, and the last one. */
  readonly coldMedianMs: Spread;
  readonly coldLastMs: Spread;
  /** For how long each core of the machine was busy with it, if all were as busy. */
  readonly coldCpuMs: Spread;
  readonly callsPerRotation: Spread;
}

/** One acquisition and its release, of a lock that is free. */
export interface LockCost {
  readonly roundTrips: number;
  readonly ms: Spread;
  /** A bare SET NX PX and DEL. */
  readonly bareMs: Spread;
  readonly toBare: Spread;
}

export type Fleet =
  | { readonly skipped: string }
  | { readonly platformLatencyMs: number; readonly points: readonly FleetPoint[]; readonly lock: LockCost };

interface Round {
  readonly coldCalls: number;
  readonly coldMedianMs: number;
  readonly coldLastMs: number;
  readonly coldCpuMs: number;
  readonly callsPerRotation: number;
}

/** Several processes on one Redis: what the platform sees of them, and what the lock costs. */
export const fleet: Section<Fleet> = async ({ fleet: size }, onProgress) => {
  const { rounds, processes, rotatingMs } = size;
  if (redisVersion() === undefined) {
    return { metrics: [], details: { skipped: 'there is no redis-server on this machine' } };
  }
  const redis = await RedisHost.start();
  const platform = await Platform.start({ ...ROTATING, latencyMs: LATENCY_MS, tenants: [] });
  try {
    const measured = new Map(processes.map((count) => [count, [] as Round[]]));
    for (let round = 0; round < rounds; round++) {
      for (const count of round % 2 === 0 ? processes : processes.toReversed()) {
        onProgress(`fleet: round ${round + 1} of ${rounds}, ${count} processes`);
        measured.get(count)?.push(await measure(count, rotatingMs, redis, platform));
      }
    }
    onProgress('fleet: the lock');
    const points = processes.map((count) => pointOf(count, measured.get(count) ?? []));
    const lock = await lockCost(redis, platform);
    return {
      details: { platformLatencyMs: LATENCY_MS, points, lock },
      metrics: metricsOf(points, lock),
    };
  } finally {
    await platform.stop();
    await redis.stop();
  }
};

async function measure(
  count: number,
  rotatingMs: number,
  redis: RedisHost,
  platform: Platform,
): Promise<Round> {
  await redis.flush();
  const processes = await startProcesses(count, redis, platform);
  try {
    // The last of them are at the end of their start, and that is not what is measured.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await platform.tokenCalls();
    const reads = await Promise.all(processes.map((it) => it.call('read')));
    const cold = reads.map(({ ms }) => ms);
    const cpuMs = reads.reduce((sum, read) => sum + read.cpuMs, 0);
    const coldCalls = await platform.tokenCalls();
    const seen = await Promise.all(processes.map((it) => it.call('readFor', rotatingMs)));
    const calls = await platform.tokenCalls();
    const rotations = new Set(seen.flat()).size - 1;
    return {
      coldCalls,
      coldMedianMs: quantile(cold, 0.5),
      coldLastMs: quantile(cold, 1),
      coldCpuMs: cpuMs / Math.min(count, availableParallelism()),
      callsPerRotation: calls / rotations,
    };
  } finally {
    await Promise.all(processes.map((it) => it.stop()));
  }
}

async function startProcesses(
  count: number,
  redis: RedisHost,
  platform: Platform,
): Promise<Helper<FleetProcessCalls>[]> {
  const processes = Array.from(
    { length: count },
    () => new Helper<FleetProcessCalls>(new URL('../load/fleet-process.js', import.meta.url)),
  );
  const setup = { redisUrl: redis.url, domain: platform.hosted.domain };
  // A few at a time: more would only take turns on the cores there are.
  for (let i = 0; i < count; i += 4)
    await Promise.all(processes.slice(i, i + 4).map((it) => it.call('start', setup)));
  return processes;
}

async function lockCost(redis: RedisHost, platform: Platform): Promise<LockCost> {
  const [alone] = await startProcesses(1, redis, platform);
  try {
    if (!alone) throw new Error('no process');
    await alone.call('lockCycles', CYCLES);
    const before = await redis.commands();
    const { lockMs, bareMs } = await alone.call('lockCycles', CYCLES);
    // Among them the SET that is timed beside each cycle, which is no part of it.
    const roundTrips = ((await redis.commands()) - before) / CYCLES - 1;
    const [ms, bare] = [spreadOf(lockMs), spreadOf(bareMs)];
    return { roundTrips, ms, bareMs: bare, toBare: ratioOf(ms, bare) };
  } finally {
    await alone?.stop();
  }
}

function pointOf(processes: number, rounds: readonly Round[]): FleetPoint {
  return {
    processes,
    coldCalls: spreadOf(rounds.map((round) => round.coldCalls)),
    coldMedianMs: spreadOf(rounds.map((round) => round.coldMedianMs)),
    coldLastMs: spreadOf(rounds.map((round) => round.coldLastMs)),
    coldCpuMs: spreadOf(rounds.map((round) => round.coldCpuMs)),
    callsPerRotation: spreadOf(rounds.map((round) => round.callsPerRotation)),
  };
}

function metricsOf(points: readonly FleetPoint[], { ms, toBare }: LockCost): Metric[] {
  return [
    ...points.flatMap(({ processes, coldCalls, coldMedianMs, coldLastMs, callsPerRotation }): Metric[] => [
      { id: `fleet/${processes}/cold-calls`, unit: 'calls', better: 'less', spread: coldCalls },
      { id: `fleet/${processes}/cold-median`, unit: 'ms', better: 'less', spread: coldMedianMs },
      { id: `fleet/${processes}/cold-last`, unit: 'ms', better: 'less', spread: coldLastMs },
      { id: `fleet/${processes}/rotation-calls`, unit: 'calls', better: 'less', spread: callsPerRotation },
    ]),
    { id: 'fleet/lock', unit: 'ms', better: 'less', spread: ms },
    { id: 'fleet/lock-to-bare', unit: 'x', better: 'less', spread: toBare },
  ];
}
