import { jest } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { type RefreshLease } from '../../lib/lock/refresh-lock.js';
import { type RedisLockClient, RedisRefreshLock } from '../../lib/redis/index.js';
import { refreshLockConformance } from '../../lib/testing/index.js';
import { runSnippet } from '../docs/run-snippet.js';
import { waitUntil } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

/** The adapter as docs/redis.md has it. */
const { lockClientOf } = (await runSnippet('docs/redis.md', "from 'ioredis'")) as {
  lockClientOf: (redis: Redis) => RedisLockClient;
};

jest.setTimeout(30_000);

describeWithRedis('RedisRefreshLock with ioredis, behind the adapter of docs/redis.md', () => {
  let server: RedisServer;
  const clients: Redis[] = [];

  /** A client with its defaults: it connects at once, and nothing listens to its errors. */
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

  /** Asks again and again, as renewals do. */
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

  it('connects a lazy client', async () => {
    const client = newClient({ lazyConnect: true });
    const lock = lockOn(client);
    expect(client.status).toBe('wait');
    const leases = await Promise.all(['l1', 'l2', 'l3'].map((key) => tryAcquire(lock, key)));
    expect(leases.every((lease) => lease?.isHeld())).toBe(true);
  });

  it('works without the offline queue, from before there is a connection', async () => {
    const lock = newLock({ enableOfflineQueue: false });
    expect((await tryAcquire(lock, 'unqueued'))?.isHeld()).toBe(true);
  });

  it('rejects while Redis is frozen, and works again when Redis does', async () => {
    const lock = newLock();
    await (await tryAcquire(lock, 'warm'))?.release();
    server.freeze();
    await expect(tryAcquire(lock, 'frozen')).rejects.toThrow('no answer within 250 ms');
    server.thaw();
    await expectLockSoon(lock);
  });

  it('releases a lease that is granted when ioredis sends its command again after a reconnect', async () => {
    const [client, look] = [newClient(), newClient()];
    const lock = lockOn(client);
    await (await tryAcquire(lock, 'warm'))?.release();
    await look.client('PAUSE', 10_000, 'ALL');
    await expect(tryAcquire(lock, 'ghost')).rejects.toThrow('within 250 ms');
    await server.restartEmpty();
    // The only commands that this server has seen: sent again, granted, released.
    await waitUntil(async () => /cmdstat_del:calls=1/.test(await look.info('commandstats')));
    expect(await look.info('commandstats')).toContain('cmdstat_set:calls=1');
    expect(await look.exists('ghost')).toBe(0);
  });

  it('does not put commands into the offline queue while there is no connection', async () => {
    await server.stop();
    const [client, look] = [newClient(), newClient()];
    await expect(tryAcquire(lockOn(client), 'queued')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    await waitUntil(() => client.status === 'ready');
    await client.ping();
    expect(await look.info('commandstats')).not.toContain('cmdstat_set:');
  });

  it('works again after Redis was restarted', async () => {
    const client = newClient();
    const lock = lockOn(client);
    await (await tryAcquire(lock, 'again'))?.release();
    await server.stop();
    await waitUntil(() => client.status !== 'ready');
    await expect(tryAcquire(lock, 'again')).rejects.toThrow('not connected');
    await server.start();
    await expectLockSoon(lock);
  });

  it.each<[string, (client: Redis) => unknown]>([
    ['that the application closed', (client) => client.disconnect()],
    ['that lost its connection and gave up', () => server.stop()],
  ])('E3 does not connect a client again %s', async (_, end) => {
    const client = newClient({ retryStrategy: () => null });
    const lock = lockOn(client);
    await (await tryAcquire(lock, 'ended'))?.release();
    await end(client);
    await waitUntil(() => client.status === 'end');
    await expect(tryAcquire(lock, 'ended')).rejects.toThrow('the application closed the Redis client');
    expect(client.status).toBe('end');
  });
});
