import { jest } from '@jest/globals';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { Fleet, FLEET_APP, median, TENANT_TOKEN } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { describeReading, readSteadily } from './steady-reading.js';

jest.setTimeout(120_000);

const PROCESSES = 20;
const LATENCY_MS = 300;
const LIFE_MS = 10_000;
const STEADY_MS = 30_000;

describeWithRedis(`${PROCESSES} processes behind one Redis`, () => {
  let emulator: FeishuEmulator;
  let redis: RedisServer;
  let fleet: Fleet;

  beforeAll(async () => {
    redis = await RedisServer.start();
    emulator = await FeishuEmulator.start({
      apps: [FLEET_APP],
      tokenLifetimeSeconds: LIFE_MS / 1_000,
      latencyMs: { [TENANT_TOKEN]: LATENCY_MS },
    });
    fleet = new Fleet(emulator, redis);
    await fleet.addMany(PROCESSES);
  });
  afterAll(async () => {
    await fleet.end();
    await emulator.stop();
    await redis.kill();
  });

  it('#43 start cold together with one platform call', async () => {
    const reads = await Promise.all(fleet.processes.map((process) => process.call('get')));
    const took = reads.map(({ tookMs }) => tookMs);
    console.log(
      `cold start of ${PROCESSES}: ${fleet.platformCalls} call of ${LATENCY_MS} ms, ` +
        `a token after ${Math.round(median(took))} ms at the median, ${Math.round(Math.max(...took))} ms at most`,
    );
    expect(new Set(reads.map(({ value }) => value)).size).toBe(1);
    expect(fleet.platformCalls).toBe(1);
  });

  it('#43 renew short-lived tokens under steady reads with one call a rotation, and nobody waits', async () => {
    const reading = await readSteadily(fleet, STEADY_MS, LIFE_MS);
    console.log(describeReading(STEADY_MS, LIFE_MS, reading));
    expect(reading).toMatchObject({ failures: [], rejected: [], waited: 0, calls: reading.rotations });
    expect(reading.rotations).toBeGreaterThanOrEqual(3);
    expect(reading.checks).toBeGreaterThan(PROCESSES * 20);

    // Another reading of the same fleet begins at nothing.
    const [process] = fleet.processes;
    await process?.call('startReading', STEADY_MS, STEADY_MS);
    expect(await process?.call('stopReading')).toMatchObject({ reads: 0, checks: 0 });
  });
});
