import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createClient, createCluster, type RedisClientType } from '@redis/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { RedisUserTokenStore } from '../../lib/redis/index.js';
import { userTokenStoreConformance } from '../../lib/testing/index.js';
import { waitUntil } from '../fleet/fleet.js';
import { RedisCluster } from '../fleet/redis-cluster.js';
import { describeWithRedis, RedisServer } from '../fleet/redis-server.js';

jest.setTimeout(60_000);

describeWithRedis('RedisUserTokenStore on a real redis-server', () => {
  let server: RedisServer;
  const clients: { isOpen: boolean; destroy(): unknown }[] = [];
  let warnings: string[];

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(() => {
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((text) => void warnings.push(String(text)));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
  });
  afterAll(() => server.kill());

  function newClient(url = server.url): RedisClientType {
    const client: RedisClientType = createClient({ url, disableOfflineQueue: true });
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }

  const newStore = (): RedisUserTokenStore => new RedisUserTokenStore({ client: newClient() });

  userTokenStoreConformance(newStore, {
    makeFailingStore: () =>
      new RedisUserTokenStore({ client: newClient('redis://127.0.0.1:1'), commandTimeoutMs: 200 }),
  });

  it('keeps a login without a TTL', async () => {
    const look = newClient();
    await look.connect();
    await newStore().put('the key', 'value', null, { dueAt: new Date(1_000) });
    const keys = await look.keys('*the key');
    expect(keys).toEqual([expect.stringMatching(/^feishu-login:\{\d+\}:key:the key$/)]);
    expect(await look.ttl(keys[0] ?? '')).toBe(-1);
  });

  it('gives the version of a write that its client sends twice', async () => {
    const client = newClient();
    const twice = {
      isOpen: false,
      connect: () => client.connect(),
      on: client.on.bind(client),
      eval: async (...args: Parameters<typeof client.eval>) => {
        await client.eval(...args);
        return client.eval(...args);
      },
    };
    await client.connect();
    const store = new RedisUserTokenStore({ client: { ...twice, isOpen: true, isReady: true } });
    const version = await store.put('twice', 'value', null);
    expect(version).toBeDefined();
    expect(await newStore().get('twice')).toEqual({ value: 'value', version });
  });

  it('does not open a client again that the application closed', async () => {
    const client = newClient();
    const store = new RedisUserTokenStore({ client });
    await store.put('closed', 'value', null);
    await client.close();
    await expect(store.get('closed')).rejects.toThrow('the application closed the Redis client');
    expect(client.isOpen).toBe(false);
  });

  it('does not show the record when Redis refuses a write', async () => {
    const client = newClient();
    await client.connect();
    const refusing = {
      isOpen: true,
      isReady: true,
      connect: () => client.connect(),
      on: client.on.bind(client),
      eval: async (_: string, { arguments: args }: { arguments: string[] }) => {
        throw Object.assign(new Error(`ERR wrong argument ${args.join()}`), { command: { args } });
      },
    };
    const error = await new RedisUserTokenStore({ client: refusing })
      .put('key', '{"token":"u-secret.value_1"}', null)
      .catch((found: unknown) => found);
    expect(error).toMatchObject({ message: expect.stringContaining('quotes the record') });
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain('secret');
  });

  it('warns at the start that a restart loses the logins, and that they may be evicted', async () => {
    const volatile = await RedisServer.start(['--maxmemory-policy', 'allkeys-lru']);
    try {
      const client = newClient(volatile.url);
      const store = new RedisUserTokenStore({ client });
      await client.connect();
      await waitUntil(() => warnings.length >= 2);
      expect(warnings[0]).toContain('Set "appendonly yes"');
      expect(warnings[1]).toContain('maxmemory-policy allkeys-lru');
      await store.get('key');
      await client.ping();
      expect(warnings).toHaveLength(2);
    } finally {
      await volatile.kill();
    }
  });

  it('does not warn about a Redis that keeps what it has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-'));
    const durable = await RedisServer.start(['--appendonly', 'yes', '--dir', folder]);
    try {
      const client = newClient(durable.url);
      await client.connect();
      await new RedisUserTokenStore({ client }).get('key');
      // Commands of one connection are answered in order, so the check was answered too.
      await client.ping();
      expect(warnings).toEqual([]);
    } finally {
      await durable.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says that it could not check a Redis that forbids INFO', async () => {
    const admin = newClient();
    await admin.connect();
    await admin.sendCommand([
      ...['ACL', 'SETUSER', 'logins', 'on', '>password', '~feishu-login:*'],
      ...[
        '+eval',
        '+hmget',
        '+hget',
        '+hset',
        '+del',
        '+zadd',
        '+zrem',
        '+zrangebyscore',
        '+hello',
        '+client',
      ],
    ]);
    const url = server.url.replace('redis://', 'redis://logins:password@');
    const store = new RedisUserTokenStore({ client: newClient(url) });
    const version = await store.put('with few rights', 'value', null, { dueAt: new Date(5) });
    expect(await store.dueBefore(new Date(10), 10)).toContain('with few rights');
    expect(await store.delete('with few rights', version ?? '')).toBe(true);
    await waitUntil(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringContaining('was not checked')]);
  });

  it.each([undefined, {}, { connect() {}, on() {} }])('refuses %j as client', (client) => {
    expect(() => new RedisUserTokenStore({ client: client as never })).toThrow(
      expect.objectContaining({ code: 'ERR_FEISHU_CONFIG_INVALID' }),
    );
  });
});

describeWithRedis('RedisUserTokenStore on a Redis Cluster', () => {
  let cluster: RedisCluster;
  const clients: { isOpen: boolean; destroy(): unknown }[] = [];

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    cluster = await RedisCluster.start();
  });
  afterAll(async () => {
    for (const client of clients) if (client.isOpen) client.destroy();
    await cluster.end();
    jest.restoreAllMocks();
  });

  let shared: RedisUserTokenStore[] = [];
  let calls = 0;
  userTokenStoreConformance(() => {
    if (shared.length < 2) {
      const client = createCluster({ rootNodes: cluster.rootNodes });
      clients.push(client);
      shared = [...shared, new RedisUserTokenStore({ client })];
    }
    return shared[calls++ % shared.length] as RedisUserTokenStore;
  });

  it('spreads the logins over all nodes', async () => {
    const [store] = shared;
    for (let i = 0; i < 60; i++) await store?.put(`login ${i}`, 'value', null);
    for (const { look } of cluster.nodes) expect(await look.dbSize()).toBeGreaterThan(5);
  });
});
