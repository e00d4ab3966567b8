import { setTimeout as pause } from 'node:timers/promises';
import { type INestApplication } from '@nestjs/common';
import { FeishuHttpService, TokenService } from '../../lib/index.js';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { collectGarbage } from '../fixtures/collect-garbage.js';
import { APP, startApp } from '../fixtures/nest-app.js';

const SOAK_MS = Number(process.env['SOAK_MS'] ?? 90_000);
const WORKERS = 20;
const LIFE_S = 10;
const BOT_INFO = '/open-apis/bot/v3/info';

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Real time, real HTTP, tokens of ten seconds, a platform that misbehaves all the while. */
describe('steady traffic', () => {
  let emulator: FeishuEmulator;
  let app: INestApplication;

  beforeAll(async () => {
    emulator = await FeishuEmulator.start({ apps: [APP], tokenLifetimeSeconds: LIFE_S, latencyMs: 2 });
    app = await startApp({ emulator, options: { refresh: { requestTimeoutMs: 500 } } });
  });
  afterAll(async () => {
    await app.close();
    await emulator.stop();
  });

  it(
    'fails no call while tokens expire, are revoked, and the token endpoints fault',
    async () => {
      const http = app.get(FeishuHttpService);
      const tokens = app.get(TokenService);
      await tokens.getTenantAccessToken();
      const endAt = Date.now() + SOAK_MS;
      const failures: string[] = [];
      let calls = 0;
      let revocations = 0;

      async function work(): Promise<void> {
        while (Date.now() < endAt) {
          const body = (await (await http.fetch(BOT_INFO)).json()) as { code: number };
          calls++;
          if (body.code !== 0) failures.push(`code ${body.code}`);
          await pause(10);
        }
      }

      async function misbehave(): Promise<void> {
        const faults = [
          { status: 503, times: 1 },
          { code: 2200, times: 1 },
          { kind: 'reset' as const, times: 1 },
          { body: '<html>', times: 1 },
          { kind: 'hang' as const, times: 1 },
          { code: 99991400, times: 1, headers: { 'x-ogw-ratelimit-reset': '1' } },
        ];
        let faultsAdded = 0;
        for (let round = 0; Date.now() < endAt - 5_000; round++) {
          await pause(3_000);
          if (round % 3 === 2) {
            // A token that is revoked while no other is to be had fails calls, as it must: that is another test.
            emulator.faults.clear();
            const current = tokens.handle({ kind: 'tenant' }).peek();
            if (current !== undefined && emulator.revoke(current)) revocations++;
          } else {
            emulator.faults.add({ path: '/open-apis/auth/', ...faults[faultsAdded++ % faults.length] });
          }
        }
      }

      await pause(2_000);
      const heapBefore = heapUsed();
      const requestsBefore = emulator.requests.length;
      await Promise.all([misbehave(), ...Array.from({ length: WORKERS }, work)]);
      emulator.requests.length = requestsBefore; // what the emulator logged is not the module's memory
      const heapAfter = heapUsed();

      const { tenant } = tokens.metrics().kinds;
      console.log(
        `${calls} calls, ${failures.length} failed; ${tenant.refresh.attempts} token requests, ` +
          `${tenant.refresh.failure} failed; ${revocations} revocations; ${tenant.waits} reads waited; ` +
          `heap ${Math.round((heapAfter - heapBefore) / 1_024)} kB more`,
      );
      expect(failures).toEqual([]);
      expect(calls).toBeGreaterThan(SOAK_MS / 100);
      // One that was about to be replaced anyway may never be noticed.
      expect(tenant.invalidations).toBeLessThanOrEqual(revocations);
      expect(tenant.invalidations).toBeGreaterThan(0);
      // Only a cold start and a revocation make anybody wait, each worker at most once a time.
      expect(tenant.waits).toBeLessThanOrEqual(1 + (WORKERS + 1) * revocations);
      // One renewal a life at half of it at the earliest, one a revocation, and the retries of what failed.
      const renewals = Math.ceil(SOAK_MS / (LIFE_S * 500)) + revocations + 2;
      expect(tenant.refresh.success).toBeLessThanOrEqual(renewals);
      expect(heapAfter - heapBefore).toBeLessThan(8 * 1_024 * 1_024);
    },
    SOAK_MS + 60_000,
  );
});
