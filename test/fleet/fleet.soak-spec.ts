import { jest } from '@jest/globals';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { Fleet, FLEET_APP, median, TENANT_TOKEN } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { describeReading, readSteadily } from './steady-reading.js';

const SOAK_MS = Number(process.env['SOAK_MS'] ?? 180_000);
const LATENCY_MS = 300;
const LIFE_MS = 40_000;

jest.setTimeout(SOAK_MS + 240_000);

describeWithRedis('a fleet over minutes', () => {
  let emulator: FeishuEmulator;
  let redis: RedisServer;
  let fleet: Fleet;

  beforeEach(async () => {
    redis = await RedisServer.start();
    emulator = await FeishuEmulator.start({
      apps: [FLEET_APP],
      tokenLifetimeSeconds: LIFE_MS / 1_000,
      latencyMs: { [TENANT_TOKEN]: LATENCY_MS },
    });
    fleet = new Fleet(emulator, redis);
  });
  afterEach(async () => {
    await fleet.end();
    await emulator.stop();
    await redis.kill();
  });

  it('#43 50 processes start cold together with one platform call', async () => {
    await fleet.addMany(50);
    const reads = await Promise.all(fleet.processes.map((process) => process.call('get')));
    console.log(
      `cold start of 50: a token after ${Math.round(median(reads.map((read) => read.tookMs)))} ms at the median`,
    );
    expect(new Set(reads.map(({ value }) => value)).size).toBe(1);
    expect(fleet.platformCalls).toBe(1);
  });

  it('#43 20 processes renew with one call a rotation, and nobody waits', async () => {
    await fleet.addMany(20);
    await Promise.all(fleet.processes.map((process) => process.call('get')));
    const reading = await readSteadily(fleet, SOAK_MS, LIFE_MS);
    console.log(describeReading(SOAK_MS, LIFE_MS, reading));
    expect(reading).toMatchObject({ failures: [], rejected: [], waited: 0, calls: reading.rotations });
    expect(reading.rotations).toBeGreaterThanOrEqual(Math.floor(SOAK_MS / LIFE_MS));
  });
});
