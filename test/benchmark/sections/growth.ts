import { type GrowthCalls, type TenantFigures } from '../load/growth-process.js';
import { Helper } from '../load/rpc.js';
import { type Metric } from '../metric.js';
import { spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

export interface GrowthPoint {
  readonly tenants: number;
  readonly readNs: Spread;
  readonly peekNs: Spread;
  /** `Map.get` + `Date.now` among as many entries. */
  readonly syncFloorNs: Spread;
  /** The same, and `await` of a kept promise. */
  readonly asyncFloorNs: Spread;
  /** Level, if what grows is only the distance to the memory. */
  readonly peekToFloor: Spread;
  readonly readToFloor: Spread;
  /** Absent for few tenants: there the process's own noise is larger. */
  readonly heapBytesPerTenant?: Spread;
  /** The sweep that merges and writes the list of tenants in use. */
  readonly firstSweepMs: Spread;
  /** One that finds nothing new. */
  readonly sweepMs: Spread;
  readonly fetchedPerSecond: Spread;
}

export interface Growth {
  readonly points: readonly GrowthPoint[];
  /** What the module adds to the start of a Nest application, milliseconds. */
  readonly startupMs: Spread;
  /** Once a process: Node's fetch. */
  readonly fetchLoadMs: Spread;
}

const MEANINGFUL_HEAP_FROM = 1_000;
const FLAGS = ['--expose-gc', '--max-semi-space-size=128'];

/** What more tenants cost. Each size in each round has a process of its own: heaps remember. */
export const growth: Section<Growth> = async ({ growth: { rounds, tenants } }, onProgress) => {
  const figures = new Map<number, TenantFigures[]>(tenants.map((count) => [count, []]));
  const [startups, fetchLoads]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const count of round % 2 === 0 ? tenants : tenants.toReversed()) {
      onProgress(`growth: round ${round + 1} of ${rounds}, ${count} tenants`);
      const helper = new Helper<GrowthCalls>(new URL('../load/growth-process.js', import.meta.url), FLAGS);
      fetchLoads.push(await helper.call('fetchLoadMs'));
      startups.push(await helper.call('startupMs'));
      figures.get(count)?.push(await helper.call('measure', count));
      await helper.stop();
    }
  }
  const points = tenants.map((count) => pointOf(count, figures.get(count) ?? []));
  const [startupMs, fetchLoadMs] = [spreadOf(startups), spreadOf(fetchLoads)];
  return { details: { points, startupMs, fetchLoadMs }, metrics: metricsOf(points, startupMs) };
};

function pointOf(tenants: number, rounds: readonly TenantFigures[]): GrowthPoint {
  const of = (pick: (round: TenantFigures) => number): Spread => spreadOf(rounds.map(pick));
  return {
    tenants,
    readNs: of(({ ns }) => ns.read),
    peekNs: of(({ ns }) => ns.peek),
    syncFloorNs: of(({ ns }) => ns.syncFloor),
    asyncFloorNs: of(({ ns }) => ns.asyncFloor),
    peekToFloor: of(({ ns }) => ns.peek / ns.syncFloor),
    readToFloor: of(({ ns }) => ns.read / ns.asyncFloor),
    ...(tenants >= MEANINGFUL_HEAP_FROM && { heapBytesPerTenant: of((round) => round.heapBytesPerTenant) }),
    firstSweepMs: of((round) => round.firstSweepMs),
    sweepMs: of((round) => round.sweepMs),
    fetchedPerSecond: of((round) => round.fetchedPerSecond),
  };
}

function metricsOf(points: readonly GrowthPoint[], startupMs: Spread): Metric[] {
  const less = (id: string, unit: string, spread: Spread): Metric => ({ id, unit, better: 'less', spread });
  return [
    ...points.flatMap((point) => [
      less(`growth/${point.tenants}/read`, 'ns', point.readNs),
      less(`growth/${point.tenants}/peek`, 'ns', point.peekNs),
      less(`growth/${point.tenants}/read-to-floor`, 'x', point.readToFloor),
      less(`growth/${point.tenants}/peek-to-floor`, 'x', point.peekToFloor),
      less(`growth/${point.tenants}/first-sweep`, 'ms', point.firstSweepMs),
      less(`growth/${point.tenants}/sweep`, 'ms', point.sweepMs),
      ...(point.heapBytesPerTenant
        ? [less(`growth/${point.tenants}/heap`, 'bytes', point.heapBytesPerTenant)]
        : []),
    ]),
    less('startup', 'ms', startupMs),
  ];
}
