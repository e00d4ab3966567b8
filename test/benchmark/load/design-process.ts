import { type TokenDesign } from '../designs/design.js';
import { DESIGNS } from '../designs/index.js';
import { type OverTime, slowestOverTime } from '../designs/over-time.js';
import { percentilesOf, type Percentiles } from '../statistics.js';
import { machineClock } from './machine-clock.js';
import { closedLoop, openLoop } from './open-loop.js';
import { type HostedPlatform } from './platform.js';
import { serve } from './rpc.js';

export interface DesignOrder {
  readonly id: string;
  readonly platform: HostedPlatform;
  readonly lifetimeMs: number;
  readonly tenants: readonly string[];
}

/** How reads went that arrived at a fixed rate. */
export interface ArrivedReads {
  readonly latency: Percentiles;
  readonly meanMs: number;
  readonly waited: number;
  readonly overTime: OverTime;
}

let design: TokenDesign | undefined;
let tenants: readonly string[] = [];

/** A read that took longer has waited for something. */
const WAITED_MS = 1;

async function read(index: number): Promise<unknown> {
  return design?.get(tenants[index % tenants.length] as string);
}

/** One design, alone in its process: nothing another one leaves behind slows it down. */
const calls = {
  async build({ id, platform, lifetimeMs, tenants: keys }: DesignOrder): Promise<void> {
    tenants = keys;
    const { domain, ticket } = platform;
    const setup = { domain, ticket, clock: machineClock, fetch: globalThis.fetch, lifetimeMs };
    design = await DESIGNS.find((entry) => entry.id === id)?.build(setup);
    globalThis.gc?.();
  },
  /** All at once; until the last one has its token, in milliseconds. */
  async cold(callers: number): Promise<number> {
    const start = performance.now();
    await Promise.all(Array.from({ length: callers }, (_, caller) => read(caller)));
    return performance.now() - start;
  },
  /** Every tenant once. */
  async warm(): Promise<void> {
    await Promise.all(tenants.map((_, i) => read(i)));
  },
  /** Reads a second. */
  throughput: ({ callers, durationMs }: { callers: number; durationMs: number }): Promise<number> =>
    closedLoop(callers, durationMs, read),
  async arrivals({
    durationMs,
    readsPerMs,
  }: {
    durationMs: number;
    readsPerMs: number;
  }): Promise<ArrivedReads> {
    const reads = await openLoop({ durationMs, readsPerMs, read });
    const latencies = reads.map(({ latencyMs }) => latencyMs);
    return {
      latency: percentilesOf(latencies),
      meanMs: latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length,
      waited: latencies.filter((ms) => ms > WAITED_MS).length,
      overTime: slowestOverTime(reads),
    };
  },
  lateRenewals: (): number => design?.lateRenewals() ?? 0,
  /** Its timers would go on while others are measured. */
  async close(): Promise<void> {
    await design?.close();
    design = undefined;
  },
};

export type DesignCalls = typeof calls;

serve(calls);
