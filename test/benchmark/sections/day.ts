import { TestClock } from 'nestjs-feishu-auth/testing';
import { type DesignEntry } from '../designs/design.js';
import { DESIGNS } from '../designs/index.js';
import { tenantKeys } from '../load/platform.js';
import { VirtualPlatform } from '../load/virtual-platform.js';
import { type Metric } from '../metric.js';
import { percentilesOf, type Percentiles, spreadOf } from '../statistics.js';
import { type Section } from './section.js';

const DAY_MS = 24 * 3_600_000;
const TENANTS = tenantKeys(5);
const READERS = 20;
const LATENCY_MS = 50;

export interface DayFigures {
  readonly id: string;
  readonly name: string;
  readonly reads: number;
  readonly latency: Percentiles;
  readonly platformCalls: number;
  /** After the cold start. */
  readonly waited: number;
  readonly lateRenewals: number;
}

export interface Day {
  readonly stepMs: number;
  readonly tenants: number;
  readonly readers: number;
  readonly platformLatencyMs: number;
  readonly designs: readonly DayFigures[];
}

/** A day of two-hour tokens on a clock that only this moves: nothing of the machine is in these figures. */
export const day: Section<Day> = async ({ designs: { dayStepMs } }, onProgress) => {
  const figures: DayFigures[] = [];
  for (const entry of DESIGNS) {
    onProgress(`a simulated day: ${entry.name}`);
    figures.push(await simulate(entry, dayStepMs));
  }
  return {
    details: {
      stepMs: dayStepMs,
      tenants: TENANTS.length,
      readers: READERS,
      platformLatencyMs: LATENCY_MS,
      designs: figures,
    },
    metrics: figures.flatMap(({ id, waited, lateRenewals, platformCalls }): Metric[] => [
      { id: `day/${id}/waited`, unit: 'reads', better: 'less', spread: spreadOf([waited]) },
      { id: `day/${id}/late-renewals`, unit: 'renewals', better: 'less', spread: spreadOf([lateRenewals]) },
      { id: `day/${id}/platform-calls`, unit: 'calls', better: 'less', spread: spreadOf([platformCalls]) },
    ]),
  };
};

async function simulate({ id, name, build }: DesignEntry, stepMs: number): Promise<DayFigures> {
  const clock = new TestClock();
  const platform = new VirtualPlatform(clock, LATENCY_MS);
  const origin = 'https://open.feishu.cn';
  const design = await build({
    domain: { open: origin, accounts: origin },
    ticket: 'ticket',
    clock,
    fetch: platform.fetch,
    lifetimeMs: 7_200_000,
  });
  const latencies: number[] = [];
  let cold = 0;
  for (let elapsed = 0; elapsed < DAY_MS; elapsed += stepMs) {
    for (let reader = 0; reader < READERS; reader++) {
      const startedAt = clock.monotonic();
      void design
        .get(TENANTS[reader % TENANTS.length] as string)
        .then(() => latencies.push(clock.monotonic() - startedAt));
    }
    await clock.advance(stepMs);
    if (elapsed === 0) cold = latencies.length;
  }
  // What the last moment set off would never end on a clock that stands still, nor would closing.
  await clock.advance(10 * LATENCY_MS);
  const lateRenewals = design.lateRenewals();
  await design.close();
  const warm = latencies.slice(cold);
  return {
    id,
    name,
    reads: latencies.length,
    latency: percentilesOf(warm),
    platformCalls: platform.calls,
    waited: warm.filter((ms) => ms > 0).length,
    lateRenewals,
  };
}
