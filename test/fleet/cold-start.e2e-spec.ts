import { FeishuEmulator } from '../../lib/testing/index.js';
import { Fleet, FLEET_APP, median, TENANT_TOKEN } from './fleet.js';
import { type FleetProcess } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

const PROCESSES = 20;
const LATENCY_MS = 300;
const LIFE_S = 10;
const STEADY_MS = 30_000;

describeWithRedis(`${PROCESSES} processes behind one Redis`, () => {
  let emulator: FeishuEmulator;
  let redis: RedisServer;
  let fleet: Fleet;
  let processes: FleetProcess[];

  beforeAll(async () => {
    redis = await RedisServer.start();
    emulator = await FeishuEmulator.start({
      apps: [FLEET_APP],
      tokenLifetimeSeconds: LIFE_S,
      latencyMs: { [TENANT_TOKEN]: LATENCY_MS },
    });
    fleet = new Fleet(emulator, redis);
    processes = await fleet.addMany(PROCESSES);
  }, 60_000);
  afterAll(async () => {
    await fleet.end();
    await emulator.stop();
    await redis.kill();
  });

  it('#43 start cold together with one platform call', async () => {
    const reads = await Promise.all(processes.map((process) => process.call('get')));
    expect(new Set(reads.map(({ value }) => value)).size).toBe(1);
    expect(fleet.platformCalls).toBe(1);
    const took = reads.map(({ tookMs }) => tookMs);
    console.log(
      `cold start of ${PROCESSES}: 1 call, platform ${LATENCY_MS} ms, ` +
        `a token after ${Math.round(median(took))} ms at the median, ${Math.round(Math.max(...took))} ms at most`,
    );
    expect(median(took)).toBeLessThan(LATENCY_MS + 200);
    expect(Math.max(...took)).toBeLessThan(LATENCY_MS + 2_000);
  });

  it(
    '#43 renew short-lived tokens under steady reads with one call a rotation, and nobody waits',
    async () => {
      const waitsBefore = await sumOfWaits();
      const callsBefore = fleet.platformCalls;
      await Promise.all(processes.map((process) => process.call('startReading', 25, 250)));
      await new Promise((resolve) => setTimeout(resolve, STEADY_MS));
      const totals = await Promise.all(processes.map((process) => process.call('stopReading')));

      const at = emulator.requestsTo(TENANT_TOKEN).map((request) => request.at);
      const renewals = at.slice(callsBefore);
      // Renewal begins at half of a life at the earliest: what comes sooner after a call is a second one of its rotation.
      const rotations = renewals.filter(
        (it, index) => it - (at[callsBefore + index - 1] ?? 0) > LIFE_S * 400,
      );
      const waited = (await sumOfWaits()) - waitsBefore;
      const metrics = await Promise.all(processes.map((process) => process.call('metrics')));
      console.log(
        metrics
          .map(
            (m) =>
              `${m.lock.acquired} ${m.lock.contended} ${m.lock.failedOpen} | ${m.store.timeouts} ${m.store.errors} ${m.store.breaker} | ${m.kinds.tenant.waits} ${m.kinds.tenant.refresh.attempts} ${JSON.stringify(m.kinds.tenant.refresh.failuresByCode)}`,
          )
          .join('\n'),
      );
      console.log(at.map((it) => it - (at[0] ?? 0)).join(' '));
      const reads = totals.reduce((sum, it) => sum + it.reads, 0);
      const checks = totals.reduce((sum, it) => sum + it.checks, 0);
      const slowest = Math.max(...totals.map((it) => it.slowestMs));
      console.log(
        `${STEADY_MS / 1_000} s of ${LIFE_S} s tokens: ${reads} reads, slowest ${slowest.toFixed(1)} ms, ${waited} waited; ` +
          `${renewals.length} calls in ${rotations.length} rotations; ${checks} API calls`,
      );
      expect(totals.flatMap(({ failures }) => failures)).toEqual([]);
      expect(totals.flatMap(({ rejected }) => rejected)).toEqual([]);
      expect(checks).toBeGreaterThan(PROCESSES * 20);
      expect(waited).toBe(0);
      expect(rotations.length).toBeGreaterThanOrEqual(3);
      expect(renewals.length).toBe(rotations.length);
    },
    STEADY_MS + 60_000,
  );

  async function sumOfWaits(): Promise<number> {
    const all = await Promise.all(processes.map((process) => process.call('metrics')));
    return all.reduce((sum, { kinds }) => sum + kinds.tenant.waits, 0);
  }
});
