import { DESIGNS } from '../designs/index.js';
import { type OverTime } from '../designs/over-time.js';
import { type ArrivedReads, type DesignCalls, type DesignOrder } from '../load/design-process.js';
import { Platform, tenantKeys } from '../load/platform.js';
import { Helper } from '../load/rpc.js';
import { type Metric } from '../metric.js';
import { type Size } from '../sizes.js';
import { medianPercentiles, type Percentiles, ratioOf, spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

const TENANTS = tenantKeys(5);
const LATENCY_MS = 50;
const LIFETIME_SECONDS = 1;
const READS_PER_MS = 20;
/** The concurrency at which throughput under expiries is compared with the predictions. */
const CALLERS = 100;

export interface ColdStart {
  readonly callers: number;
  readonly platformCalls: Spread;
  readonly lastAnswerMs: Spread;
}

/** Of callers that read again as soon as they have their answer. */
export interface Throughput {
  readonly callers: number;
  readonly readsPerSecond: Spread;
}

export interface DesignFigures {
  readonly id: string;
  readonly name: string;
  readonly predicted?: { readonly throughput: number; readonly latency: number };
  readonly cold: readonly ColdStart[];
  /** Nothing expires. */
  readonly steady: readonly Throughput[];
  readonly expiring: {
    readonly throughput: readonly Throughput[];
    /** Of as many callers as the predictions are compared at. */
    readonly readsPerSecond: Spread;
    readonly latency: Percentiles;
    readonly p99: Spread;
    readonly meanMs: Spread;
    readonly platformCalls: Spread;
    readonly waited: Spread;
    readonly lateRenewals: Spread;
    /** The slowest read of each bucket of time in the last round, milliseconds. */
    readonly overTime: OverTime;
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
  readonly cold: readonly { platformCalls: number; lastAnswerMs: number }[];
  readonly steady: readonly number[];
  readonly throughput: readonly number[];
  readonly arrived: ArrivedReads;
  readonly platformCalls: number;
  readonly lateRenewals: number;
}

/** The designs the project descends from, and the project, on one workload over HTTP. */
export const designs: Section<Designs> = async ({ designs: size }, onProgress) => {
  const platformOf = (lifetimeSeconds: number): Promise<Platform> =>
    Platform.start({ lifetimeSeconds, latencyMs: LATENCY_MS, tenants: TENANTS });
  const [lasting, expiring] = [await platformOf(7_200), await platformOf(LIFETIME_SECONDS)];
  const script = new URL('../load/design-process.js', import.meta.url);
  const processes = DESIGNS.map(({ id, name }) => ({
    id,
    name,
    rounds: [] as Round[],
    process: new Helper<DesignCalls>(script, ['--expose-gc']),
  }));
  try {
    for (let round = 0; round < size.rounds; round++) {
      for (const { id, name, rounds, process } of round % 2 === 0 ? processes : processes.toReversed()) {
        onProgress(`designs: round ${round + 1} of ${size.rounds}, ${name}`);
        rounds.push({
          ...(await withLastingTokens(id, process, size, lasting)),
          ...(await withExpiringTokens(id, process, size, expiring)),
        });
      }
    }
    return report(new Map(processes.map(({ id, rounds }) => [id, rounds])), size);
  } finally {
    await Promise.all(processes.map(({ process }) => process.stop()));
    await lasting.stop();
    await expiring.stop();
  }
};

async function withLastingTokens(
  id: string,
  design: Helper<DesignCalls>,
  { callers: sizes, steadyMs: durationMs }: Size['designs'],
  platform: Platform,
): Promise<Pick<Round, 'cold' | 'steady'>> {
  const cold: Round['cold'][number][] = [];
  const steady: number[] = [];
  for (const callers of sizes) {
    await design.call('build', orderOf(id, platform, 7_200));
    await platform.tokenCalls();
    const lastAnswerMs = await design.call('cold', callers);
    cold.push({ lastAnswerMs, platformCalls: await platform.tokenCalls() });
    // One caller has read one tenant.
    await design.call('warm');
    steady.push(await design.call('throughput', { callers, durationMs }));
    await design.call('close');
  }
  return { cold, steady };
}

async function withExpiringTokens(
  id: string,
  design: Helper<DesignCalls>,
  { callers: sizes, expiringMs: durationMs, closedMs }: Size['designs'],
  platform: Platform,
): Promise<Omit<Round, 'cold' | 'steady'>> {
  await design.call('build', orderOf(id, platform, LIFETIME_SECONDS));
  // Not counted: the cold start, and the first reads, which run uncompiled.
  await design.call('throughput', { callers: CALLERS, durationMs: 300 });
  const late = await design.call('lateRenewals');
  await platform.tokenCalls();
  const arrived = await design.call('arrivals', { durationMs, readsPerMs: READS_PER_MS });
  const platformCalls = await platform.tokenCalls();
  const lateRenewals = (await design.call('lateRenewals')) - late;
  const throughput: number[] = [];
  for (const callers of sizes)
    throughput.push(await design.call('throughput', { callers, durationMs: closedMs }));
  await design.call('close');
  return { arrived, platformCalls, lateRenewals, throughput };
}

function orderOf(id: string, { hosted }: Platform, lifetimeSeconds: number): DesignOrder {
  return { id, platform: hosted, lifetimeMs: lifetimeSeconds * 1_000, tenants: TENANTS };
}

function report(
  rounds: ReadonlyMap<string, readonly Round[]>,
  size: Size['designs'],
): { metrics: Metric[]; details: Designs } {
  const of = (id: string, pick: (round: Round) => number): Spread =>
    spreadOf((rounds.get(id) ?? []).map(pick));
  const compared = size.callers.indexOf(CALLERS);
  const throughput = (id: string, at = compared): Spread =>
    of(id, (round) => round.throughput[at] ?? Number.NaN);
  const mean = (id: string): Spread => of(id, ({ arrived }) => arrived.meanMs);
  const figures = DESIGNS.map(({ id, name, predicted }): DesignFigures => {
    const latencies = (rounds.get(id) ?? []).map(({ arrived }) => arrived.latency);
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
        throughput: size.callers.map((callers, i) => ({ callers, readsPerSecond: throughput(id, i) })),
        readsPerSecond: throughput(id),
        latency: medianPercentiles(latencies),
        p99: spreadOf(latencies.map(({ p99 }) => p99)),
        meanMs: mean(id),
        platformCalls: of(id, (round) => round.platformCalls),
        waited: of(id, ({ arrived }) => arrived.waited),
        lateRenewals: of(id, (round) => round.lateRenewals),
        overTime: rounds.get(id)?.at(-1)?.arrived.overTime ?? [],
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
