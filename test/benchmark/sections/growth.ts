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
  readonly floorNs: Spread;
  /** Level, if what grows is only the distance to the memory. */
  readonly peekToFloor: Spread;
  /** Absent for few tenants: there the process's own noise is larger. */
  readonly heapBytesPerTenant?: Spread;
  readonly sweepMs: Spread;
  readonly fetchedPerSecond: Spread;
}

export interface Growth {
  readonly points: readonly GrowthPoint[];
  /** What the module adds to the start of a Nest application, milliseconds. */
  readonly startupMs: Spread;
}

const MEANINGFUL_HEAP_FROM = 1_000;
const FLAGS = ['--expose-gc', '--max-semi-space-size=128'];

/** What more tenants cost. Each size in each round has a process of its own: heaps remember. */
export const growth: Section<Growth> = async ({ growth: { rounds, tenants } }, onProgress) => {
  const figures = new Map<number, TenantFigures[]>(tenants.map((count) => [count, []]));
  const startups: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const count of tenants) {
      onProgress(`growth: round ${round + 1} of ${rounds}, ${count} tenants`);
      const helper = new Helper<GrowthCalls>(new URL('../load/growth-process.js', import.meta.url), FLAGS);
      startups.push(await helper.call('startupMs'));
      figures.get(count)?.push(await helper.call('measure', count));
      await helper.stop();
    }
  }
  const points = tenants.map((count) => pointOf(count, figures.get(count) ?? []));
  const startupMs = spreadOf(startups);
  return { details: { points, startupMs }, metrics: metricsOf(points, startupMs) };
};

function pointOf(tenants: number, rounds: readonly TenantFigures[]): GrowthPoint {
  const of = (pick: (round: TenantFigures) => number): Spread => spreadOf(rounds.map(pick));
  return {
    tenants,
    readNs: of((round) => round.readNs),
    peekNs: of((round) => round.peekNs),
    floorNs: of((round) => round.floorNs),
    peekToFloor: of(({ peekNs, floorNs }) => peekNs / floorNs),
    ...(tenants >= MEANINGFUL_HEAP_FROM && { heapBytesPerTenant: of((round) => round.heapBytesPerTenant) }),
    sweepMs: of((round) => round.sweepMs),
    fetchedPerSecond: of((round) => round.fetchedPerSecond),
  };
}

function metricsOf(points: readonly GrowthPoint[], startupMs: Spread): Metric[] {
  return [
    ...points.flatMap(({ tenants, readNs, peekNs, heapBytesPerTenant, sweepMs, peekToFloor }): Metric[] => [
      { id: `growth/${tenants}/read`, unit: 'ns', better: 'less', spread: readNs },
      { id: `growth/${tenants}/peek`, unit: 'ns', better: 'less', spread: peekNs },
      { id: `growth/${tenants}/peek-to-floor`, unit: 'x', better: 'less', spread: peekToFloor },
      { id: `growth/${tenants}/sweep`, unit: 'ms', better: 'less', spread: sweepMs },
      ...(heapBytesPerTenant
        ? [
            {
              id: `growth/${tenants}/heap`,
              unit: 'bytes',
              better: 'less',
              spread: heapBytesPerTenant,
            } as const,
          ]
        : []),
    ]),
    { id: 'startup', unit: 'ms', better: 'less', spread: startupMs },
  ];
}
