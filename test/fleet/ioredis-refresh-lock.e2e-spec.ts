import { jest } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { type RefreshLease } from '../../lib/lock/refresh-lock.js';
import { type RedisLockClient, RedisRefreshLock } from '../../lib/redis/index.js';
import { refreshLockConformance } from '../../lib/testing/index.js';
import { runSnippet } from '../docs/run-snippet.js';
import { waitUntil } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

/** What docs/redis.md says, word for word. */
const { lockClientOf } = (await runSnippet('docs/redis.md', "from 'ioredis'")) as {
  lockClientOf: (redis: Redis) => RedisLockClient;
};

// Longer than anything here waits: a test that gives up leaves no lock behind that connects its client again.
jest.setTimeout(30_000);

describeWithRedis('RedisRefreshLock with ioredis, behind the adapter of docs/redis.md', () => {
  let server: RedisServer;
  const clients: Redis[] = [];

  /** A client as it comes: it connects at once, and nobody listens to its errors. */
  function newClient(options: RedisOptions = {}): Redis {
    const client = new Redis(server.url, options);
    clients.push(client);
    return client;
  }

  function newLock(options?: RedisOptions): RedisRefreshLock {
    return lockOn(newClient(options));
  }

  const lockOn = (client: Redis): RedisRefreshLock => new RedisRefreshLock({ client: lockClientOf(client) });

  const tryAcquire = (lock: RedisRefreshLock, key: string): Promise<RefreshLease | undefined> =>
    lock.acquire(key, { ttlMs: 5_000, waitMs: 0 });

  /** As a renewal after the other does: what cannot be had now is asked for again. */
  async function expectLockSoon(lock: RedisRefreshLock): Promise<void> {
    await waitUntil(async () => {
      const lease = await tryAcquire(lock, 'soon').catch(() => undefined);
      await lease?.release();
      return lease !== undefined;
    });
  }

  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await server.kill();
  });

  refreshLockConformance(() => newLock());

  it('sets one key with a ttl, and deletes it', async () => {
    const [lock, look] = [newLock(), newClient()];
    const lease = await tryAcquire(lock, 'app:v1:{a}:lock');
    const ttl = await look.pttl('app:v1:{a}:lock');
    expect(ttl).toBeGreaterThan(4_000);
    expect(ttl).toBeLessThanOrEqual(5_000);
    await lease?.release();
    expect(await look.exists('app:v1:{a}:lock')).toBe(0);
  });

  it('connects a client that is lazy by itself', async () => {
    const client = newClient({ lazyConnect: true });
    const lock = lockOn(client);
    expect(client.status).toBe('wait');
    const leases = await Promise.all(['l1', 'l2', 'l3'].map((key) => tryAcquire(lock, key)));
    expect(leases.every((lease) => lease?.isHeld())).toBe(true);
  });

  it('works with the offline queue off as well, from before there is a connection', async () => {
    const lock = newLock({ enableOfflineQueue: false });
    expect((await tryAcquire(lock, 'unqueued'))?.isHeld()).toBe(true);
  });

  it('rejects within its deadline while Redis is frozen, and is back when Redis is', async () => {
    const lock = newLock();
    await (await tryAcquire(lock, 'warm'))?.release();
    server.freeze();
    const startedAt = performance.now();
    await expect(tryAcquire(lock, 'frozen')).rejects.toThrow('Redis did not answer within 250 ms');
    expect(performance.now() - startedAt).toBeLessThan(600);
    server.thaw();
    await expectLockSoon(lock);
  });

  it('leaves no ghost: what ioredis sends again after a reconnect is released again', async () => {
    const [client, look] = [newClient(), newClient()];
    const lock = lockOn(client);
    await (await tryAcquire(lock, 'warm'))?.release();
    await look.client('PAUSE', 10_000, 'ALL');
    await expect(tryAcquire(lock, 'ghost')).rejects.toThrow('within 250 ms');
    await server.restartEmpty();
    // Sent again, granted, and given back: the only commands that this server has seen.
    await waitUntil(async () => /cmdstat_del:calls=1/.test(await look.info('commandstats')));
    expect(await look.info('commandstats')).toContain('cmdstat_set:calls=1');
    expect(await look.exists('ghost')).toBe(0);
  });

  it('does not put commands into the offline queue while there is no connection', async () => {
    await server.stop();
    const [client, look] = [newClient(), newClient()];
    await expect(tryAcquire(lockOn(client), 'queued')).rejects.toThrow('within 250 ms');
    await server.start();
    await waitUntil(() => client.status === 'ready');
    await client.ping();
    expect(await look.info('commandstats')).not.toContain('cmdstat_set:');
  });

  it.each([
    { kind: 'as it comes', options: {} },
    { kind: 'that would not', options: { retryStrategy: () => null } },
  ])('connects again after Redis was restarted, with a client $kind', async ({ options }) => {
    const client = newClient(options);
    const lock = lockOn(client);
    await (await tryAcquire(lock, 'again'))?.release();
    await server.stop();
    await waitUntil(() => client.status !== 'ready');
    await expect(tryAcquire(lock, 'again')).rejects.toThrow('within 250 ms');
    await server.start();
    await expectLockSoon(lock);
  });
});
