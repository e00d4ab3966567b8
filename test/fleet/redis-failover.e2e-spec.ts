import { jest } from '@jest/globals';
import KeyvRedis, { Keyv } from '@keyv/redis';
import { type INestApplication } from '@nestjs/common';
import { createSentinel, type RedisSentinelType } from '@redis/client';
import { createCache } from 'cache-manager';
import { FeishuAuthHealthIndicator, TokenService } from '../../lib/index.js';
import { RedisRefreshLock } from '../../lib/redis/index.js';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { closeApps } from '../fixtures/close-apps.js';
import { APP, startApp } from '../fixtures/nest-app.js';
import { waitUntil } from './fleet.js';
import { RedisFailover } from './redis-failover.js';
import { describeWithRedis } from './redis-server.js';

const TENANT = { kind: 'tenant' } as const;

jest.setTimeout(60_000);

describeWithRedis('a Redis that fails over to its replica', () => {
  let redis: RedisFailover;
  let emulator: FeishuEmulator;
  const apps: INestApplication[] = [];
  const clients: { isOpen: boolean; destroy(): unknown }[] = [];

  /** An application with its tokens and its locks on whichever server is the primary. */
  async function newTokens(): Promise<TokenService> {
    const client: RedisSentinelType = createSentinel(redis.clientOptions);
    clients.push(client);
    const app = await startApp({
      emulator,
      options: {
        cache: createCache({ stores: [new Keyv({ store: new KeyvRedis(client) })] }),
        lock: new RedisRefreshLock({ client }),
        prewarm: { onBootstrap: 'off', intervalMs: 200 },
      },
    });
    apps.push(app);
    return app.get(TokenService);
  }

  /** Why the application with these tokens is not up, if it is not. */
  async function reasonOf(tokens: TokenService): Promise<string | undefined> {
    const app = apps.find((it) => it.get(TokenService) === tokens);
    const [details] = Object.values((await app?.get(FeishuAuthHealthIndicator).isHealthy()) ?? {});
    return details?.['reason'] as string | undefined;
  }

  beforeAll(async () => {
    redis = await RedisFailover.start();
    emulator = await FeishuEmulator.start({ apps: [APP] });
  });
  afterAll(async () => {
    await closeApps(apps);
    for (const client of clients) if (client.isOpen) client.destroy();
    await emulator.stop();
    await redis.end();
  });

  it('#37 reads do not notice, a revoked token is replaced meanwhile, and sharing resumes by itself', async () => {
    const [one, other] = [await newTokens(), await newTokens()];
    const before = await one.getTenantAccessToken();
    await waitUntil(async () => (await other.getToken(TENANT)).value === before);
    await redis.killPrimary();
    expect([await one.getTenantAccessToken(), await other.getTenantAccessToken()]).toEqual([before, before]);
    // Nobody but its sweeps asks the store now, and health says why it is degraded all the same.
    await waitUntil(
      async () => (await reasonOf(other))?.includes('the token store does not answer') === true,
    );

    // Nothing can be shared now, and nobody fails for it.
    emulator.revoke(before);
    expect(await one.invalidate(TENANT, before)).toBe(true);
    const replaced = await one.getTenantAccessToken();
    expect(replaced).not.toBe(before);
    await redis.untilOver();

    // What could not be stored is stored on the server that has taken over; the dead one comes back nowhere.
    await waitUntil(() => redis.holds(replaced), 30_000);
    await waitUntil(async () => (await reasonOf(other)) === undefined);
    const calls = emulator.requestsTo(/_access_token/).length;
    const third = await newTokens();
    expect(await third.getToken(TENANT)).toMatchObject({ value: replaced, source: 'store' });
    expect(await other.invalidate(TENANT, before)).toBe(true);
    expect(await other.getToken(TENANT)).toMatchObject({ value: replaced });
    expect(emulator.requestsTo(/_access_token/)).toHaveLength(calls);
    expect(other.metrics().kinds.tenant.refresh.failure).toBe(0);
  });
});
