import { setTimeout as pause } from 'node:timers/promises';
import {
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  type RedisClientType,
} from '@redis/client';
import { RefreshLock, type RefreshLease } from '../../lib/lock/refresh-lock.js';
import { RedisRefreshLock } from '../../lib/redis/index.js';
import { refreshLockConformance } from '../../lib/testing/index.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

const TTL_MS = 5_000;

describeWithRedis('RedisRefreshLock on a real redis-server', () => {
  let redis: RedisServer;
  const clients: RedisClientType[] = [];

  /** A client as it comes: its offline queue on, nobody listening to its errors. */
  function newClient(options: { disableOfflineQueue?: boolean } = {}): RedisClientType {
    const client = createClient({ url: redis.url, ...options }) as RedisClientType;
    clients.push(client);
    return client;
  }

  function newLock(options?: { disableOfflineQueue?: boolean }): RedisRefreshLock {
    return new RedisRefreshLock({ client: newClient(options) });
  }

  /** A client of the test itself, to look with. */
  async function observer(): Promise<RedisClientType> {
    const client = newClient();
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  const tryAcquire = (lock: RedisRefreshLock, key: string): Promise<RefreshLease | undefined> =>
    lock.acquire(key, { ttlMs: TTL_MS, waitMs: 0 });

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    redis.thaw();
    for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
  });
  afterAll(() => redis.kill());

  // Each case asks for its own locks, each on a client of its own, not connected yet: as processes do.
  refreshLockConformance(() => newLock());

  it('sets one key, with a ttl and an owner that is another each time', async () => {
    const [lock, look] = [newLock(), await observer()];
    const owners: (string | null)[] = [];
    for (let round = 0; round < 3; round++) {
      const lease = await tryAcquire(lock, 'app:v1:{a}:lock');
      owners.push(await look.get('app:v1:{a}:lock'));
      const ttl = await look.pTTL('app:v1:{a}:lock');
      expect(ttl).toBeGreaterThan(TTL_MS - 1_000);
      expect(ttl).toBeLessThanOrEqual(TTL_MS);
      await lease?.release();
      expect(await look.exists('app:v1:{a}:lock')).toBe(0);
    }
    expect(new Set(owners).size).toBe(3);
    expect(owners.every((owner) => /^[\da-f-]{36}$/.test(owner ?? ''))).toBe(true);
  });

  it('is typed for every kind of client there is', () => {
    const kinds = [
      createClient({ RESP: 3 }),
      createClientPool({}),
      createSentinel({ name: 'main', sentinelRootNodes: [] }),
      createCluster({ rootNodes: [] }),
    ];
    for (const client of kinds) expect(new RedisRefreshLock({ client })).toBeInstanceOf(RefreshLock);
  });

  it('takes a ttl that is no whole number of milliseconds', async () => {
    expect(await newLock().acquire('fraction', { ttlMs: 1_000.25, waitMs: 0 })).toBeDefined();
  });

  it('works with the offline queue off as well, from before there is a connection', async () => {
    const lock = newLock({ disableOfflineQueue: true });
    const leases = await Promise.all(['q1', 'q2', 'q3'].map((key) => tryAcquire(lock, key)));
    expect(leases.every((lease) => lease?.isHeld())).toBe(true);
  });

  it('rejects within its deadline while Redis is frozen, and sends nothing more once the breaker is open', async () => {
    const lock = newLock();
    await (await tryAcquire(lock, 'warm'))?.release();
    redis.freeze();
    for (let attempt = 0; attempt < 3; attempt++) {
      const startedAt = performance.now();
      await expect(tryAcquire(lock, `frozen:${attempt}`)).rejects.toThrow(
        'Redis did not answer within 250 ms',
      );
      expect(performance.now() - startedAt).toBeLessThan(600);
    }
    const startedAt = performance.now();
    await expect(tryAcquire(lock, 'frozen:3')).rejects.toThrow('left alone');
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  it('leaves no ghost: what is granted after we gave up on it releases itself', async () => {
    const [lock, look] = [newLock(), await observer()];
    await (await tryAcquire(lock, 'warm'))?.release();
    const monitor = newClient();
    monitor.on('error', () => undefined);
    await monitor.connect();
    const commands: string[] = [];
    await monitor.monitor((line) => commands.push(line));
    redis.freeze();
    await expect(tryAcquire(lock, 'ghost')).rejects.toThrow('within 250 ms');
    redis.thaw();
    await waitUntil(() => commands.some((line) => line.includes('"EVAL"')));
    expect(commands.some((line) => line.includes('"SET" "ghost"'))).toBe(true);
    expect(await look.exists('ghost')).toBe(0);
    // And the answer that came late has closed the breaker.
    expect((await tryAcquire(lock, 'ghost'))?.isHeld()).toBe(true);
  });

  it('does not put commands into the offline queue while there is no connection', async () => {
    const own = await RedisServer.reserve();
    const client = createClient({ url: own.url }) as RedisClientType;
    clients.push(client);
    const lock = new RedisRefreshLock({ client });
    await expect(tryAcquire(lock, 'queued')).rejects.toThrow('within 250 ms');
    await own.start();
    await waitUntil(() => client.isReady);
    expect(await client.exists('queued')).toBe(0);
    expect((await tryAcquire(lock, 'queued'))?.isHeld()).toBe(true);
    client.destroy();
    await own.kill();
  });

  it('connects again by itself, also with a client that would not', async () => {
    const own = await RedisServer.start();
    const client = createClient({ url: own.url, socket: { reconnectStrategy: false } });
    const lock = new RedisRefreshLock({ client });
    await (await tryAcquire(lock, 'again'))?.release();
    await own.kill();
    await expect(tryAcquire(lock, 'again')).rejects.toThrow();
    await own.start();
    const lease = await tryAcquire(lock, 'again').catch(() => tryAcquire(lock, 'again'));
    expect(lease?.isHeld()).toBe(true);
    client.destroy();
    await own.kill();
  });

  it('rejects when Redis refuses: out of memory, or a replica', async () => {
    const own = await RedisServer.start();
    const client = createClient({ url: own.url });
    const lock = new RedisRefreshLock({ client });
    await (await tryAcquire(lock, 'refused'))?.release();
    await client.configSet('maxmemory', '1');
    await expect(tryAcquire(lock, 'refused')).rejects.toThrow('OOM');
    await client.configSet('maxmemory', '0');
    await client.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
    await expect(tryAcquire(lock, 'refused')).rejects.toThrow('READONLY');
    await client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
    expect((await tryAcquire(lock, 'refused'))?.isHeld()).toBe(true);
    client.destroy();
    await own.kill();
  });

  it('rejects within its deadline what a slow Redis answers too late, and releases it', async () => {
    const [lock, look] = [newLock(), await observer()];
    await (await tryAcquire(lock, 'warm'))?.release();
    const slow = newClient();
    slow.on('error', () => undefined);
    await slow.connect();
    await slow.sendCommand(['CLIENT', 'PAUSE', '600', 'ALL']);
    await expect(tryAcquire(lock, 'slow')).rejects.toThrow('within 250 ms');
    await waitUntil(async () => (await look.exists('slow')) === 0);
  });
});

async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error('did not come about in 10 s');
    await pause(10);
  }
}
