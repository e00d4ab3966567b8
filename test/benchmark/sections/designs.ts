import { DESIGNS } from '../designs/index.js';
import { type DesignEntry, type DesignSetup, type TokenDesign } from '../designs/design.js';
import { closedLoop, openLoop, type TimedRead } from '../load/open-loop.js';
import { Platform, tenantKeys } from '../load/platform.js';
import { type Metric } from '../metric.js';
import { type Size } from '../sizes.js';
import { medianPercentiles, percentilesOf, type Percentiles, ratioOf, spreadOf, type Spread } from '../statistics.js';
import { machineClock } from './machine-clock.js';
import { type Section } from './section.js';

const TENANTS = tenantKeys(5);
const LATENCY_MS = 50;
const LIFETIME_SECONDS = 1;
const READS_PER_MS = 20;
/** A read that took longer has waited for something. */
export const WAITED_MS = 1;
/** The concurrency at which throughput under expiries is compared with the predictions. */
const CALLERS = 100;
const BUCKET_MS = 25;

export interface ColdStart {
  readonly callers: number;
  readonly platformCalls: Spread;
  readonly lastAnswerMs: Spread;
}

export interface DesignFigures {
  readonly id: string;
  readonly name: string;
  readonly predicted?: { readonly throughput: number; readonly latency: number };
  readonly cold: readonly ColdStart[];
  readonly steady: readonly { readonly callers: number; readonly readsPerSecond: Spread }[];
  readonly expiring: {
    readonly readsPerSecond: Spread;
    readonly latency: Percentiles;
    readonly p99: Spread;
    readonly meanMs: Spread;
    readonly platformCalls: Spread;
    readonly waited: Spread;
    readonly lateRenewals: Spread;
    /** The slowest read of each bucket of time in the last round, milliseconds. */
    readonly overTime: readonly { readonly atMs: number; readonly slowestMs: number }[];
  };
  /** Over (0): 1 is the same. */
  readonly throughputToMutex: Spread;
  readonly latencyToMutex: Spread;
}

export interface Designs {
  readonly tenants: number;
  readonly platformLatencyMs: number;
  readonly lifetimeSeconds: number;
  readonly readsPerSecond: number;
  readonly callers: number;
  readonly designs: readonly DesignFigures[];
}

/** What one design did in one round. */
interface Round {
  cold: { platformCalls: number; lastAnswerMs: number }[];
  steady: number[];
  throughput: number;
  reads: TimedRead[];
  platformCalls: number;
  lateRenewals: number;
}

/** The designs the project descends from, and the project, on one workload over HTTP. */
export const designs: Section<Designs> = async ({ designs: size }, onProgress) => {
  const lasting = await Platform.start({ lifetimeSeconds: 7_200, latencyMs: LATENCY_MS, tenants: TENANTS });
  const expiring = await Platform.start({
    lifetimeSeconds: LIFETIME_SECONDS,
    latencyMs: LATENCY_MS,
    tenants: TENANTS,
  });
  try {
    const rounds = new Map(DESIGNS.map(({ id }) => [id, [] as Round[]]));
    for (let round = 0; round < size.rounds; round++) {
      for (const entry of round % 2 === 0 ? DESIGNS : DESIGNS.toReversed()) {
        onProgress(`designs: round ${round + 1} of ${size.rounds}, ${entry.name}`);
        rounds.get(entry.id)?.push(await measure(entry, size, lasting, expiring));
      }
    }
    return report(rounds, size);
  } finally {
    await lasting.stop();
    await expiring.stop();
  }
};

async function measure(
  entry: DesignEntry,
  size: Size['designs'],
  lasting: Platform,
  expiring: Platform,
): Promise<Round> {
  const cold: Round['cold'] = [];
  const steady: number[] = [];
  for (const callers of size.callers) {
    const design = await entry.build(setupOf(lasting, 7_200));
    await lasting.tokenCalls();
    const start = performance.now();
    await Promise.all(Array.from({ length: callers }, (_, caller) => read(design, caller)));
    cold.push({ lastAnswerMs: performance.now() - start, platformCalls: await lasting.tokenCalls() });
    steady.push(await closedLoop(callers, size.steadyMs, (caller) => read(design, caller)));
    await design.close();
  }

  const design = await entry.build(setupOf(expiring, LIFETIME_SECONDS));
  await Promise.all(TENANTS.map((_, i) => read(design, i)));
  await expiring.tokenCalls();
  const late = design.lateRenewals();
  const durationMs = size.expiringMs;
  const reads = await openLoop({ durationMs, readsPerMs: READS_PER_MS, read: (i) => read(design, i) });
  const platformCalls = await expiring.tokenCalls();
  const lateRenewals = design.lateRenewals() - late;
  const throughput = await closedLoop(CALLERS, durationMs, (caller) => read(design, caller));
  await design.close();
  return { cold, steady, throughput, reads, platformCalls, lateRenewals };
}

function read(design: TokenDesign, index: number): Promise<string> {
  return design.get(TENANTS[index % TENANTS.length] as string);
}

function setupOf(platform: Platform, lifetimeSeconds: number): DesignSetup {
  const { domain, ticket } = platform.hosted;
  return { domain, ticket, clock: machineClock, fetch: globalThis.fetch, lifetimeMs: lifetimeSeconds * 1_000 };
}

function report(
  rounds: ReadonlyMap<string, readonly Round[]>,
  size: Size['designs'],
): { metrics: Metric[]; details: Designs } {
  const of = (id: string, pick: (round: Round) => number): Spread => spreadOf((rounds.get(id) ?? []).map(pick));
  const throughput = (id: string): Spread => of(id, (round) => round.throughput);
  const mean = (id: string): Spread => of(id, ({ reads }) => average(reads.map(({ latencyMs }) => latencyMs)));
  const figures = DESIGNS.map(({ id, name, predicted }): DesignFigures => {
    const latencies = (rounds.get(id) ?? []).map(({ reads }) => percentilesOf(reads.map((it) => it.latencyMs)));
    return {
      id,
      name,
      ...(predicted && { predicted }),
      cold: size.callers.map((callers, i) => ({
        callers,
        platformCalls: of(id, ({ cold }) => cold[i]?.platformCalls ?? Number.NaN),
        lastAnswerMs: of(id, ({ cold }) => cold[i]?.lastAnswerMs ?? Number.NaN),
      })),
      steady: size.callers.map((callers, i) => ({
        callers,
        readsPerSecond: of(id, ({ steady }) => steady[i] ?? Number.NaN),
      })),
      expiring: {
        readsPerSecond: throughput(id),
        latency: medianPercentiles(latencies),
        p99: spreadOf(latencies.map(({ p99 }) => p99)),
        meanMs: mean(id),
        platformCalls: of(id, (round) => round.platformCalls),
        waited: of(id, ({ reads }) => reads.filter(({ latencyMs }) => latencyMs > WAITED_MS).length),
        lateRenewals: of(id, (round) => round.lateRenewals),
        overTime: slowestOverTime(rounds.get(id)?.at(-1)?.reads ?? []),
      },
      throughputToMutex: ratioOf(throughput(id), throughput('mutex')),
      latencyToMutex: ratioOf(mean(id), mean('mutex')),
    };
  });
  return {
    details: {
      tenants: TENANTS.length,
      platformLatencyMs: LATENCY_MS,
      lifetimeSeconds: LIFETIME_SECONDS,
      readsPerSecond: READS_PER_MS * 1_000,
      callers: CALLERS,
      designs: figures,
    },
    metrics: figures.flatMap(({ id, expiring }): Metric[] => [
      { id: `designs/${id}/reads-per-second`, unit: '/s', better: 'more', spread: expiring.readsPerSecond },
      { id: `designs/${id}/p99`, unit: 'ms', better: 'less', spread: expiring.p99 },
      { id: `designs/${id}/platform-calls`, unit: 'calls', better: 'less', spread: expiring.platformCalls },
      { id: `designs/${id}/late-renewals`, unit: 'renewals', better: 'less', spread: expiring.lateRenewals },
    ]),
  };
}

function slowestOverTime(reads: readonly TimedRead[]): { atMs: number; slowestMs: number }[] {
  const slowest = new Map<number, number>();
  for (const { dueAt, latencyMs } of reads) {
    const bucket = Math.floor(dueAt / BUCKET_MS) * BUCKET_MS;
    slowest.set(bucket, Math.max(latencyMs, slowest.get(bucket) ?? 0));
  }
  return [...slowest].map(([atMs, slowestMs]) => ({ atMs, slowestMs })).toSorted((a, b) => a.atMs - b.atMs);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
