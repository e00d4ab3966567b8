import { jest } from '@jest/globals';
import KeyvRedis, { Keyv } from '@keyv/redis';
import { type INestApplication } from '@nestjs/common';
import { createClient, createCluster, type RedisClusterType } from '@redis/client';
import { createCache } from 'cache-manager';
import { TokenService } from '../../lib/index.js';
import { type RefreshLease } from '../../lib/lock/refresh-lock.js';
import { RedisRefreshLock } from '../../lib/redis/index.js';
import { FeishuEmulator, refreshLockConformance } from '../../lib/testing/index.js';
import { closeApps } from '../fixtures/close-apps.js';
import { APP, startApp } from '../fixtures/nest-app.js';
import { waitUntil } from './fleet.js';
import { RedisCluster } from './redis-cluster.js';
import { describeWithRedis } from './redis-server.js';

/** What Keyv and `@keyv/redis` put before a key. */
const STORES = [
  { prefix: 'keyv::keyv:', storeOn: (client: RedisClusterType) => new Keyv(new KeyvRedis(client)) },
  {
    prefix: 'tokens::',
    storeOn: (client: RedisClusterType) =>
      new Keyv(new KeyvRedis(client), { namespace: 'tokens', useKeyPrefix: false }),
  },
];

/** One key a node. */
const KEYS_APART = ['a', 'b', 'c'];

// Longer than anything here waits: a test that gives up leaves no lock behind that connects its client again.
jest.setTimeout(30_000);

describeWithRedis('a Redis Cluster', () => {
  let cluster: RedisCluster;
  let emulator: FeishuEmulator;
  const apps: INestApplication[] = [];
  const clients: { isOpen: boolean; destroy(): unknown }[] = [];

  /** A client as it comes, not connected yet. */
  function newClient(): RedisClusterType {
    const client: RedisClusterType = createCluster({ rootNodes: cluster.rootNodes });
    clients.push(client);
    return client;
  }

  const newLock = (): RedisRefreshLock => new RedisRefreshLock({ client: newClient() });

  const tryAcquire = (lock: RedisRefreshLock, key: string): Promise<RefreshLease | undefined> =>
    lock.acquire(key, { ttlMs: 60_000, waitMs: 0 });

  /** An application with its tokens and its locks on the cluster. */
  async function newTokens(storeOn: (client: RedisClusterType) => Keyv): Promise<TokenService> {
    const client = newClient();
    const app = await startApp({
      emulator,
      options: {
        cache: createCache({ stores: [storeOn(client)] }),
        lock: new RedisRefreshLock({ client }),
        prewarm: { onBootstrap: 'off' },
      },
    });
    apps.push(app);
    return app.get(TokenService);
  }

  /** The commands that any node carries out from now on, as MONITOR tells them. */
  async function watchNodes(): Promise<string[]> {
    const commands: string[] = [];
    for (const { server } of cluster.nodes) {
      const monitor = createClient({ url: server.url });
      monitor.on('error', () => undefined);
      clients.push(monitor);
      await monitor.connect();
      await monitor.monitor((line) => commands.push(line));
    }
    return commands;
  }

  async function expectOn(key: string, count: 0 | 1): Promise<void> {
    expect(await (await cluster.nodeOf(key)).look.exists(key)).toBe(count);
  }

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  beforeEach(async () => {
    emulator = await FeishuEmulator.start({ apps: [APP] });
  });
  afterEach(async () => {
    for (const { server } of cluster.nodes) server.thaw();
    await closeApps(apps);
    await emulator.stop();
    for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
    for (const { look } of cluster.nodes) await look.flushAll();
  });
  afterAll(() => cluster.end());

  refreshLockConformance(() => newLock());

  it.each(STORES)('keeps a token and its lock in one hash slot, with $prefix before it', async (store) => {
    const commands = await watchNodes();
    const tokens = await newTokens(store.storeOn);
    const value = await tokens.getTenantAccessToken();
    await waitUntil(() => commands.some((line) => line.includes('"EVAL"')));

    const [lockKey, recordKey] = keysSetBy(commands);
    expect(`${store.prefix}${lockKey}`).toBe(`${recordKey}:lock`);
    expect(await cluster.slotOf(recordKey)).toBe(await cluster.slotOf(lockKey));
    await expectOn(recordKey, 1);
    await expectOn(lockKey, 0);

    // And another process finds it there.
    const shared = await (await newTokens(store.storeOn)).getToken({ kind: 'tenant' });
    expect(shared).toMatchObject({ value, source: 'store' });
    expect(emulator.requestsTo(/_access_token/)).toHaveLength(1);
  });

  it('takes and gives back a lock on the node that has its slot, on each of them', async () => {
    const nodes = await Promise.all(KEYS_APART.map((key) => cluster.nodeOf(key)));
    expect(new Set(nodes)).toEqual(new Set(cluster.nodes));
    const lock = newLock();
    for (const key of KEYS_APART) {
      const lease = await tryAcquire(lock, key);
      await expectOn(key, 1);
      await lease?.release();
      await expectOn(key, 0);
    }
  });

  it('follows a slot that has moved to another node', async () => {
    const lock = newLock();
    await (await tryAcquire(lock, 'moving'))?.release();
    const before = await cluster.nodeOf('moving');
    await cluster.moveSlotOf('moving');
    expect(await cluster.nodeOf('moving')).not.toBe(before);
    const lease = await tryAcquire(lock, 'moving');
    expect(await before.look.info('errorstats')).toContain('errorstat_MOVED');
    await expectOn('moving', 1);
    await lease?.release();
    await expectOn('moving', 0);
  });

  it('rejects within its deadline what a frozen node has, and has the rest as ever', async () => {
    const lock = newLock();
    for (const key of KEYS_APART) await (await tryAcquire(lock, key))?.release();
    const frozen = await cluster.nodeOf('a');
    frozen.server.freeze();
    const startedAt = performance.now();
    await expect(tryAcquire(lock, 'a')).rejects.toThrow('no answer within 250 ms');
    expect(performance.now() - startedAt).toBeLessThan(600);
    expect((await tryAcquire(lock, 'b'))?.isHeld()).toBe(true);
    frozen.server.thaw();
    // What was granted too late is given back.
    await waitUntil(async () => (await tryAcquire(lock, 'a')) !== undefined);
  });

  it('connects again after a node was restarted', async () => {
    const lock = newLock();
    await (await tryAcquire(lock, 'a'))?.release();
    const { server } = await cluster.nodeOf('a');
    await server.stop();
    expect(await tryAcquire(lock, 'a').catch(() => 'rejected')).toBe('rejected');
    await server.start();
    await cluster.untilComplete();
    await waitUntil(async () => (await tryAcquire(lock, 'a').catch(() => undefined)) !== undefined);
  });
});

/** In the order in which they were set first. */
function keysSetBy(commands: readonly string[]): [lock: string, record: string] {
  const keys = commands.map((line) => / "SET" "(?<key>[^"]+)"/.exec(line)?.groups?.['key'] ?? '');
  const [lock, record, ...others] = new Set(keys.filter((key) => key !== ''));
  if (lock === undefined || record === undefined || others.length > 0) throw new Error(keys.join());
  return [lock, record];
}
