import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { TokenPrewarmer, TokenService } from '../../lib/index.js';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { startStoreApp, STORE_APP } from '../fixtures/store-app.js';

const TENANTS = Number(process.env['TENANTS'] ?? 10_000);
const LIMIT_MS = 10 * 60_000;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What finalisers let go of is gone only after another turn. */
async function heapUsed(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage().heapUsed;
}

const mb = (bytes: number): string => `${(bytes / 1_024 / 1_024).toFixed(1)} MB`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Real HTTP on loopback, the platform in the same process: the times are those of both. */
describe(`a store app with ${TENANTS} tenants`, () => {
  it(
    'pre-warms them after a restart, and tells what that takes',
    async () => {
      const tenantKeys = Array.from({ length: TENANTS }, (_, i) => `tenant_${i}`);
      const emulator = await FeishuEmulator.start({ apps: [{ ...STORE_APP, tenantKeys }] });
      const cache = createCache({ stores: [new Keyv()] });
      const options = { cache, maxTokens: TENANTS + 10 };

      const first = await startStoreApp({ emulator, options });
      const tokens = first.app.get(TokenService);
      await tokens.getAppAccessToken();
      const heapBefore = await heapUsed();
      const coldAt = performance.now();
      for (let from = 0; from < TENANTS; from += 100) {
        const some = tenantKeys.slice(from, from + 100);
        await Promise.all(some.map((tenantKey) => tokens.getTenantAccessToken({ tenantKey })));
      }
      const coldMs = performance.now() - coldAt;
      await first.app.get(TokenPrewarmer).sweep();
      const idleAt = performance.now();
      await first.app.get(TokenPrewarmer).sweep();
      const idleSweepMs = performance.now() - idleAt;
      emulator.requests.length = 0;
      const heapOfFirst = (await heapUsed()) - heapBefore;

      const warmAt = performance.now();
      const second = await startStoreApp({ emulator, options, subscribes: false });
      // The sweep of the bootstrap, joined.
      await second.app.get(TokenPrewarmer).sweep();
      const warmMs = performance.now() - warmAt;
      const again = second.app.get(TokenService);
      const held = tenantKeys.filter((tenantKey) =>
        again.handle({ kind: 'tenant', tenantKey }).peek(),
      ).length;
      const heapWithSecond = await heapUsed();
      // Closed, it holds no token any more; what that frees is what they took.
      await second.app.close();
      const heapOfSecond = heapWithSecond - (await heapUsed());
      console.log(
        [
          `${TENANTS} tenants`,
          `cold, from the platform, 100 at a time: ${seconds(coldMs)}`,
          `a sweep with nothing due: ${idleSweepMs.toFixed(0)} ms`,
          `started again and pre-warmed from the store: ${seconds(warmMs)}, ${emulator.requests.length} platform calls`,
          `heap: ${mb(heapOfSecond)} in the process (${Math.round(heapOfSecond / TENANTS)} B a tenant); ` +
            `${mb(heapOfFirst)} with the store and the platform in it`,
        ].join('\n'),
      );
      expect(held).toBe(TENANTS);
      expect(emulator.requests).toEqual([]);
      expect(heapOfSecond / TENANTS).toBeLessThan(8 * 1_024);
      await first.app.close();
      await emulator.stop();
    },
    LIMIT_MS,
  );
});
