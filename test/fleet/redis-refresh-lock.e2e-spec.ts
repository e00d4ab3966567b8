import { AsyncLocalStorage } from 'node:async_hooks';
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

  /** A client with its defaults: the offline queue is on, and nothing listens to its errors. */
  function newClient(options: { disableOfflineQueue?: boolean } = {}): RedisClientType {
    const client = createClient({ url: redis.url, ...options }) as RedisClientType;
    clients.push(client);
    return client;
  }

  function newLock(options?: { disableOfflineQueue?: boolean }): RedisRefreshLock {
    return new RedisRefreshLock({ client: newClient(options) });
  }

  /** A client through which the test looks into Redis. */
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

  // Each lock has a client that is not connected yet, as in a process that starts.
  refreshLockConformance(() => newLock());

  it('sets one key with a ttl and a new random value for each lease', async () => {
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

  it('accepts the types of a client, a pool, a Sentinel and a Cluster', () => {
    const kinds = [
      createClient({ RESP: 3 }),
      createClientPool({}),
      createSentinel({ name: 'main', sentinelRootNodes: [] }),
      createCluster({ rootNodes: [] }),
    ];
    for (const client of kinds) expect(new RedisRefreshLock({ client })).toBeInstanceOf(RefreshLock);
  });

  it('accepts a ttl with a fraction of a millisecond', async () => {
    expect(await newLock().acquire('fraction', { ttlMs: 1_000.25, waitMs: 0 })).toBeDefined();
  });

  it('works without the offline queue, from before there is a connection', async () => {
    const lock = newLock({ disableOfflineQueue: true });
    const leases = await Promise.all(['q1', 'q2', 'q3'].map((key) => tryAcquire(lock, key)));
    expect(leases.every((lease) => lease?.isHeld())).toBe(true);
  });

  it('rejects while Redis is frozen, and sends nothing more once the breaker is open', async () => {
    const lock = newLock();
    const look = await observer();
    await (await tryAcquire(lock, 'warm'))?.release();
    redis.freeze();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(tryAcquire(lock, `frozen:${attempt}`)).rejects.toThrow('no answer within 250 ms');
    }
    expect(lock.problem()).toBe('SET: no answer within 250 ms');
    await expect(tryAcquire(lock, 'frozen:3')).rejects.toThrow('SET was not sent');
    redis.thaw();
    await waitUntil(async () => (await look.info('commandstats')).includes('cmdstat_set:'));
    await waitUntil(() => lock.problem() === undefined);
    expect(await look.exists('frozen:3')).toBe(0);
  });

  it('releases a lease that is granted after the deadline', async () => {
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
    await waitUntil(async () => (await look.exists('ghost')) === 0);
    // The late answer has closed the breaker.
    expect((await tryAcquire(lock, 'ghost'))?.isHeld()).toBe(true);
  });

  it('A2 keeps a claim that is granted after the deadline', async () => {
    const [lock, look] = [newLock(), await observer()];
    await (await tryAcquire(lock, 'warm'))?.release();
    redis.freeze();
    await expect(lock.claim('event', TTL_MS)).rejects.toThrow('within 250 ms');
    redis.thaw();
    await waitUntil(async () => (await look.exists('event')) === 1);
    await waitUntil(() => lock.problem() === undefined);
    expect(await newLock().claim('event', TTL_MS)).toBe(false);
    expect(await look.exists('event')).toBe(1);
  });

  it('grants a claim once, for its ttl', async () => {
    const [one, other, look] = [newLock(), newLock(), await observer()];
    const granted = await Promise.all([one.claim('once', TTL_MS), other.claim('once', TTL_MS)]);
    expect(granted.filter(Boolean)).toEqual([true]);
    expect(await look.pTTL('once')).toBeGreaterThan(TTL_MS - 1_000);
  });

  it('does not put commands into the offline queue while there is no connection', async () => {
    const own = await RedisServer.reserve();
    const client = createClient({ url: own.url }) as RedisClientType;
    clients.push(client);
    const lock = new RedisRefreshLock({ client });
    await expect(tryAcquire(lock, 'queued')).rejects.toThrow('ECONNREFUSED');
    await own.start();
    await waitUntil(() => client.isReady);
    expect(await client.exists('queued')).toBe(0);
    expect((await tryAcquire(lock, 'queued'))?.isHeld()).toBe(true);
    client.destroy();
    await own.kill();
  });

  it('connects a client again that lost its connection and gave up', async () => {
    const own = await RedisServer.start();
    const client = createClient({ url: own.url, socket: { reconnectStrategy: false } });
    const lock = new RedisRefreshLock({ client });
    await (await tryAcquire(lock, 'again'))?.release();
    await own.kill();
    await expect(tryAcquire(lock, 'again')).rejects.toThrow();
    await own.start();
    await waitUntil(async () => (await tryAcquire(lock, 'again').catch(() => undefined))?.isHeld() === true);
    client.destroy();
    await own.kill();
  });

  it.each<['close' | 'destroy']>([['close'], ['destroy']])(
    'E3 does not connect a client again that the application closed by %s()',
    async (how) => {
      const client = newClient();
      const lock = new RedisRefreshLock({ client });
      const lease = await tryAcquire(lock, `closed by ${how}`);
      const closing = client[how]();
      await lease?.release();
      await closing;
      await expect(tryAcquire(lock, 'after')).rejects.toThrow('the application closed the Redis client');
      expect(client.isOpen).toBe(false);
    },
  );

  it('E4 connects the client outside the async context of the caller', async () => {
    const context = new AsyncLocalStorage<string>();
    const client = newClient();
    let seen: string | undefined = 'not ready yet';
    client.on('ready', () => (seen = context.getStore()));
    const lock = new RedisRefreshLock({ client });
    await context.run('a renewal', () => tryAcquire(lock, 'context'));
    expect(seen).toBeUndefined();
  });

  it('E6 adds one listener to a client, however many locks use it', () => {
    const client = newClient();
    const locks = Array.from({ length: 12 }, () => new RedisRefreshLock({ client }));
    expect(locks).toHaveLength(12);
    expect(client.listenerCount('error')).toBe(1);
    expect(client.listenerCount('ready')).toBe(1);
  });

  it('rejects with the reason when Redis is out of memory, or a replica', async () => {
    const own = await RedisServer.start();
    const client = createClient({ url: own.url });
    const lock = new RedisRefreshLock({ client });
    await (await tryAcquire(lock, 'refused'))?.release();
    await client.configSet('maxmemory', '1');
    await expect(tryAcquire(lock, 'refused')).rejects.toThrow('OOM');
    await client.configSet('maxmemory', '0');
    await client.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
    await expect(tryAcquire(lock, 'refused')).rejects.toThrow('READONLY');
    expect(lock.problem()).toContain('SET: READONLY');
    await client.sendCommand(['REPLICAOF', 'NO', 'ONE']);
    expect((await tryAcquire(lock, 'refused'))?.isHeld()).toBe(true);
    expect(lock.problem()).toBeUndefined();
    client.destroy();
    await own.kill();
  });

  it('rejects a lease that a slow Redis grants too late, and releases it', async () => {
    const [lock, look] = [newLock(), await observer()];
    await (await tryAcquire(lock, 'warm'))?.release();
    const slow = newClient();
    slow.on('error', () => undefined);
    await slow.connect();
    await slow.sendCommand(['CLIENT', 'PAUSE', '600', 'ALL']);
    await expect(tryAcquire(lock, 'slow')).rejects.toThrow('within 250 ms');
    await waitUntil(async () => (await look.exists('slow')) === 0);
  });

  describe('for a Redis user', () => {
    /** A lock whose user may do what `rules` say. */
    async function lockOf(...rules: string[]): Promise<RedisRefreshLock> {
      const admin = await observer();
      await admin.sendCommand(['ACL', 'SETUSER', 'feishu', 'reset', 'on', '>secret', ...rules]);
      const client = createClient({ url: redis.url, username: 'feishu', password: 'secret' });
      clients.push(client);
      return new RedisRefreshLock({ client });
    }

    it('works with the rights that docs/redis.md lists', async () => {
      const lock = await lockOf('~feishu-auth:*', '+set', '+get', '+del', '+eval');
      const lease = await tryAcquire(lock, 'feishu-auth:v1:{a}:lock');
      expect(lease?.isHeld()).toBe(true);
      await lease?.release();
      expect(lock.problem()).toBeUndefined();
      expect((await tryAcquire(lock, 'feishu-auth:v1:{a}:lock'))?.isHeld()).toBe(true);
    });

    it('B6 names the refusal without the right to EVAL, and keeps its breaker closed', async () => {
      const lock = await lockOf('~*', '+set', '+get', '+del');
      for (let i = 0; i < 5; i++) {
        const lease = await tryAcquire(lock, `no eval ${i}`);
        expect(lease?.isHeld()).toBe(true);
        await lease?.release();
        expect(lock.problem()).toContain('EVAL: NOPERM');
      }
    });

    it('B6 names the refusal without the right to the keys, and keeps its breaker closed', async () => {
      const lock = await lockOf('~other:*', '+@all');
      for (let i = 0; i < 5; i++) {
        await expect(tryAcquire(lock, 'feishu-auth:v1:{a}:lock')).rejects.toThrow('NOPERM');
      }
      expect(lock.problem()).toContain('SET: NOPERM');
    });

    it('B7 names a wrong password', async () => {
      await lockOf('~*', '+@all');
      const client = createClient({ url: redis.url, username: 'feishu', password: 'wrong' });
      clients.push(client);
      const lock = new RedisRefreshLock({ client });
      await expect(tryAcquire(lock, 'password')).rejects.toThrow('WRONGPASS');
      expect(lock.problem()).toContain('WRONGPASS');
    });
  });

  it.each([
    [{ client: undefined }, 'client'],
    [{ client: {} }, 'client'],
    [{ commandTimeoutMs: Number.NaN }, 'commandTimeoutMs'],
    [{ commandTimeoutMs: 0 }, 'commandTimeoutMs'],
    [{ commandTimeoutMs: '250' }, 'commandTimeoutMs'],
  ])('refuses the option %p', (option, name) => {
    const options = { client: newClient(), ...option } as ConstructorParameters<typeof RedisRefreshLock>[0];
    expect(() => new RedisRefreshLock(options)).toThrow(
      expect.objectContaining({
        code: 'ERR_FEISHU_CONFIG_INVALID',
        message: expect.stringContaining(name),
      }),
    );
  });
});

async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not true within 20 s: ${condition.toString()}`);
    await pause(10);
  }
}
