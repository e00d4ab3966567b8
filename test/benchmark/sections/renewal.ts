import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FeishuAuthModule, TokenService } from 'nestjs-feishu-auth';
import { openLoop } from '../load/open-loop.js';
import { type HostedPlatform, Platform, SELF_BUILT_APP } from '../load/platform.js';
import { type Metric } from '../metric.js';
import { type Percentiles, medianPercentiles, percentilesOf, spreadOf, type Spread } from '../statistics.js';
import { outage, type Outage } from './outage.js';
import { type Section } from './section.js';

const READS_PER_MS = 50;
const SLOW_MS = 1;
const LATENCY_MS = 50;

export interface Traffic {
  readonly reads: number;
  /** Longer than 1 ms from when they were due. */
  readonly slow: Spread;
  readonly latency: Percentiles;
  readonly rotations: Spread;
  /** Calls that awaited a renewal. */
  readonly waits: number;
}

export interface Renewal {
  readonly durationMs: number;
  readonly lifetimeSeconds: number;
  readonly readsPerSecond: number;
  readonly rotating: Traffic;
  readonly still: Traffic;
  readonly outage: Outage;
}

interface Round {
  readonly latencies: readonly number[];
  readonly rotations: number;
  readonly waits: number;
}

/** Reads while tokens rotate, beside the same reads while they do not: the difference is what renewals cost a caller. */
export const renewal: Section<Renewal> = async ({ renewal: size }, onProgress) => {
  const { rounds, durationMs, lifetimeSeconds } = size;
  const setup = { latencyMs: LATENCY_MS, tenants: [] };
  const brief = await Platform.start({ ...setup, lifetimeSeconds });
  const lasting = await Platform.start({ ...setup, lifetimeSeconds: 7_200 });
  try {
    const [rotating, still]: [Round[], Round[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      onProgress(`renewal under load: round ${round + 1} of ${rounds}`);
      const both = [async () => rotating.push(await read(brief.hosted, durationMs, lifetimeSeconds))];
      both.push(async () => still.push(await read(lasting.hosted, durationMs, 7_200)));
      for (const run of round % 2 === 0 ? both : both.toReversed()) await run();
    }
    onProgress('renewal: an outage through the whole window');
    const details: Renewal = {
      durationMs,
      lifetimeSeconds,
      readsPerSecond: READS_PER_MS * 1_000,
      rotating: trafficOf(rotating),
      still: trafficOf(still),
      outage: await outage(),
    };
    return { details, metrics: metricsOf(details) };
  } finally {
    await brief.stop();
    await lasting.stop();
  }
};

async function read(platform: HostedPlatform, durationMs: number, lifetimeSeconds: number): Promise<Round> {
  const app = await start(platform, lifetimeSeconds);
  try {
    const tokens = app.get(TokenService);
    const get = (): Promise<string> => tokens.getTenantAccessToken();
    await get();
    // Not counted: the first reads run uncompiled.
    await openLoop({ durationMs: 300, readsPerMs: READS_PER_MS, read: get });
    globalThis.gc?.();
    const before = tokens.metrics().kinds.tenant;
    const reads = await openLoop({ durationMs, readsPerMs: READS_PER_MS, read: get });
    const after = tokens.metrics().kinds.tenant;
    return {
      latencies: reads.map(({ latencyMs }) => latencyMs),
      rotations: after.refresh.success - before.refresh.success,
      waits: after.waits - before.waits,
    };
  } finally {
    await app.close();
  }
}

function start(platform: HostedPlatform, lifetimeSeconds: number): Promise<INestApplicationContext> {
  const intervalMs = Math.min(30_000, lifetimeSeconds * 100);
  const module = FeishuAuthModule.forRoot({
    ...SELF_BUILT_APP,
    domain: platform.domain,
    prewarm: { onBootstrap: 'off', intervalMs },
  });
  return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
}

function trafficOf(rounds: readonly Round[]): Traffic {
  return {
    reads: rounds.reduce((sum, { latencies }) => sum + latencies.length, 0),
    slow: spreadOf(rounds.map(({ latencies }) => latencies.filter((ms) => ms > SLOW_MS).length)),
    latency: medianPercentiles(rounds.map(({ latencies }) => percentilesOf(latencies))),
    rotations: spreadOf(rounds.map(({ rotations }) => rotations)),
    waits: rounds.reduce((sum, { waits }) => sum + waits, 0),
  };
}

function metricsOf({ rotating, still, outage: { failedReads, attempts } }: Renewal): Metric[] {
  return [
    { id: 'renewal/rotating/slow', unit: 'reads', better: 'less', spread: rotating.slow },
    { id: 'renewal/still/slow', unit: 'reads', better: 'less', spread: still.slow },
    { id: 'renewal/rotating/waits', unit: 'reads', better: 'less', spread: spreadOf([rotating.waits]) },
    { id: 'outage/failed', unit: 'reads', better: 'less', spread: spreadOf([failedReads]) },
    { id: 'outage/attempts', unit: 'calls', better: 'less', spread: spreadOf([attempts]) },
  ];
}
