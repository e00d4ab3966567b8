import { jest } from '@jest/globals';
import { createClient, type RedisClientType } from '@redis/client';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { cacheKey } from '../../lib/tokens/token-query.js';
import { Fleet, type FleetProcess, waitUntil } from './fleet.js';
import { type ProcessSetup, type TokenRead } from './fleet-messages.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { type AppType } from '../../lib/platform/app-type.js';

const LATENCY_MS = 100;
const STORE_DEADLINE_MS = 250;
/** What two busy cores may add to anything that is timed here. */
const SLACK_MS = 500;
/** A read from memory: microseconds, unless the process was not given a core. */
const WARM_MS = 150;
jest.setTimeout(60_000);
const TENANTS = Array.from({ length: 400 }, (_, index) => `tenant${index}`);
const CLIENTS = ['recommended', 'plain'] as const;
const APP_SECRET = 'a-secret-of-its-own';

/** A fleet with an app of its own: no other test's tokens are its. */
class TroubledFleet extends Fleet {
  constructor(
    emulator: FeishuEmulator,
    redis: RedisServer,
    readonly look: RedisClientType,
    private readonly app: { appId: string; appSecret: string; appType: AppType },
    defaults: Partial<ProcessSetup>,
  ) {
    super(emulator, redis, { ...app, ...defaults });
  }

  keyOf(tenantKey?: string): string {
    const { open: openOrigin } = this.emulator.domain;
    return cacheKey({ ...this.app, openOrigin, keyPrefix: 'feishu-auth' }, 'tenant', tenantKey);
  }

  get ticket(): string {
    return this.emulator.tickets.current(this.app.appId) ?? '';
  }

  async isStored(value: string): Promise<boolean> {
    return (await this.look.get(this.keyOf()))?.includes(value) ?? false;
  }

  /** What a process that starts now gets, and what it cost, after `by` fetched a token now. */
  async newcomerAfter(by: FleetProcess): Promise<{ renewed: string; read: TokenRead; calls: number }> {
    const { value } = await by.call('get');
    this.emulator.revoke(value);
    await by.call('invalidate', value);
    const { value: renewed } = await by.call('get');
    await waitUntil(() => this.isStored(renewed));
    const newcomer = await this.add();
    const read = await newcomer.call('get');
    return { renewed, read, calls: (await newcomer.call('metrics')).kinds.tenant.refresh.attempts };
  }
}

/** A process that starts now finds in Redis what `by` fetches now. */
async function expectSharing(fleet: TroubledFleet, by: FleetProcess): Promise<void> {
  const { renewed, read, calls } = await fleet.newcomerAfter(by);
  expect(read).toMatchObject({ value: renewed, source: 'store' });
  expect(calls).toBe(0);
}

async function expectWarmReads(process: FleetProcess, value: string): Promise<void> {
  for (let read = 0; read < 20; read++) {
    const warm = await process.call('get');
    expect(warm.value).toBe(value);
    expect(warm.tookMs).toBeLessThan(WARM_MS);
  }
}

describeWithRedis('a fleet whose Redis is in trouble', () => {
  let emulator: FeishuEmulator;
  let redis: RedisServer;
  let look: RedisClientType;
  const fleets: Fleet[] = [];
  const cleanUp: (() => unknown)[] = [];
  let apps = 0;

  async function newRedis(): Promise<{ redis: RedisServer; look: RedisClientType }> {
    const server = await RedisServer.start();
    const client: RedisClientType = createClient({ url: server.url });
    client.on('error', () => undefined);
    await client.connect();
    cleanUp.push(
      () => client.destroy(),
      () => server.kill(),
    );
    return { redis: server, look: client };
  }

  function newFleet(defaults: Partial<ProcessSetup> = {}, on = { redis, look }): TroubledFleet {
    const appType = defaults.appType ?? 'self-built';
    const app = { appId: `cli_trouble_${++apps}`, appSecret: APP_SECRET, appType };
    emulator.apps.add({ ...app, tenantKeys: appType === 'store' ? TENANTS : [] });
    const fleet = new TroubledFleet(emulator, on.redis, on.look, app, defaults);
    fleets.push(fleet);
    return fleet;
  }

  /** The same with both kinds of client at once, each with a fleet of its own. */
  async function withBothClients(work: (fleet: TroubledFleet) => Promise<void>): Promise<void> {
    await Promise.all(CLIENTS.map((client) => work(newFleet({ client }))));
  }

  beforeAll(async () => {
    emulator = await FeishuEmulator.start({ latencyMs: LATENCY_MS });
  });
  afterAll(() => emulator.stop());
  beforeEach(async () => {
    ({ redis, look } = await newRedis());
  });
  afterEach(async () => {
    await Promise.all(fleets.splice(0).map((fleet) => fleet.end()));
    for (const clean of cleanUp.splice(0)) await clean();
  });

  it('#36 frozen: warm reads do not notice, a cold one costs the store deadline more, sharing resumes', async () => {
    const frozen = new Barrier(CLIENTS.length, () => redis.freeze());
    const thawed = new Barrier(CLIENTS.length, () => redis.thaw());
    await withBothClients(async (fleet) => {
      const [warm, cold] = await Promise.all([fleet.add(), fleet.add()]);
      const { value } = await warm.call('get');
      await frozen.pass();
      await expectWarmReads(warm, value);
      const read = await cold.call('get');
      expect(read.value).toBe(value); // the platform hands out the same token while half an hour is left
      expect(read.tookMs).toBeLessThan(LATENCY_MS + STORE_DEADLINE_MS + SLACK_MS);
      // Not by its status: terminus 11 has no third one.
      await waitUntil(
        async () => (await cold.call('health')).reason?.includes('the token store does not answer') === true,
      );
      await thawed.pass();
      await waitUntil(async () => (await cold.call('health')).reason === undefined, 15_000);
      await expectSharing(fleet, cold);
    });
  });

  it('#37 down at boot: applications start and serve, and share as soon as it is up', async () => {
    await redis.stop();
    const started = new Barrier(CLIENTS.length, () => redis.start());
    await withBothClients(async (fleet) => {
      const processes = await fleet.addMany(2);
      const reads = await Promise.all(processes.map((process) => process.call('get')));
      expect(new Set(reads.map(({ value }) => value)).size).toBe(1);
      for (const { tookMs } of reads) {
        expect(tookMs).toBeLessThan(LATENCY_MS + STORE_DEADLINE_MS + SLACK_MS);
      }
      await started.pass();
      await waitUntil(async () => look.isReady && (await look.exists(fleet.keyOf())) === 1, 15_000);
      const newcomer = await fleet.add();
      expect(await newcomer.call('get')).toMatchObject({ source: 'store' });
    });
  });

  it('#37 killed and restarted empty: nobody notices, sharing resumes, nothing is restarted', async () => {
    const killed = new Barrier(CLIENTS.length, () => redis.kill());
    const started = new Barrier(CLIENTS.length, () => redis.start());
    await withBothClients(async (fleet) => {
      const [one, other] = await Promise.all([fleet.add(), fleet.add()]);
      const { value } = await one.call('get');
      await other.call('get');
      await killed.pass();
      for (const process of [one, other]) await expectWarmReads(process, value);
      await started.pass();
      await waitUntil(() => look.isReady);
      await expectSharing(fleet, one);
    });
  });

  it('#36 slow: a cold read costs the store deadline more, and no ghost stays behind', async () => {
    const fleet = newFleet();
    const process = await fleet.add();
    await look.sendCommand(['CLIENT', 'PAUSE', '800', 'ALL']);
    const { tookMs } = await process.call('get');
    expect(tookMs).toBeLessThan(LATENCY_MS + STORE_DEADLINE_MS + SLACK_MS);
    await waitUntil(async () => (await look.exists(`${fleet.keyOf()}:lock`)) === 0);
  });

  it('#38 refuses writes: callers are served, health says so, sharing resumes', async () => {
    const refusals = [
      { refuse: ['CONFIG', 'SET', 'maxmemory', '1'], mend: ['CONFIG', 'SET', 'maxmemory', '0'] }, // full
      { refuse: ['REPLICAOF', '127.0.0.1', '1'], mend: ['REPLICAOF', 'NO', 'ONE'] }, // a replica, after a failover
    ];
    await Promise.all(
      refusals.map(async ({ refuse, mend }) => {
        const fleet = newFleet({}, await newRedis());
        const [one, other] = await Promise.all([fleet.add(), fleet.add()]);
        await fleet.look.sendCommand(refuse);
        const read = await one.call('get');
        expect(read.tookMs).toBeLessThan(LATENCY_MS + SLACK_MS);
        expect((await other.call('get')).value).toBe(read.value);
        await waitUntil(async () => (await one.call('health')).reason !== undefined);
        expect((await one.call('health')).reason).toContain('writes fail');
        expect(await fleet.isStored(read.value)).toBe(false);

        // A sweep shares what could not be shared, and all is well.
        await fleet.look.sendCommand(mend);
        await waitUntil(async () => (await one.call('health')).reason === undefined);
        await waitUntil(() => fleet.isStored(read.value));
        await expectSharing(fleet, one);
      }),
    );
  });

  it('#38 a write that is refused once is made up for by the one retry', async () => {
    // The sweep finds out that the lock works again; the token is stored by the retry.
    const fleet = newFleet({ options: { prewarm: { onBootstrap: 'off', intervalMs: 1_000 } } });
    const process = await fleet.add();
    await look.configSet('maxmemory', '1');
    const { value } = await process.call('get');
    await waitUntil(async () => (await process.call('metrics')).store.errors > 0);
    await look.configSet('maxmemory', '0');
    await waitUntil(() => fleet.isStored(value));
    expect((await process.call('metrics')).store.writes).toBeGreaterThanOrEqual(2);
    await waitUntil(async () => (await process.call('health')).status === 'up');
  });

  it('#39 what is adopted ends when the process that fetched it said', async () => {
    const fleet = newFleet();
    const [one, other] = await Promise.all([fleet.add(), fleet.add()]);
    const fetched = await one.call('get');
    await waitUntil(async () => (await look.exists(fleet.keyOf())) === 1);
    const adopted = await other.call('get');
    expect(adopted).toMatchObject({
      value: fetched.value,
      expiresAt: fetched.expiresAt,
      obtainedAt: fetched.obtainedAt,
      source: 'store',
    });
    // Ten minutes longer than the token, so that a fast clock elsewhere does not end it early.
    expect(await look.pTTL(fleet.keyOf())).toBeGreaterThan(7_200_000);
  });

  it('#40 what is no record of ours is a miss, and overwritten', async () => {
    const fleet = newFleet({ appType: 'store' });
    const process = await fleet.add();
    await process.call('setTicket', fleet.ticket);
    const record = { version: 1, key: 'of-another', obtainedAt: 1, expiresAt: 9e15, lifeMs: 1, secret: 's' };
    const garbage: ((key: string) => Promise<unknown>)[] = [
      (key) => look.set(key, 'no json'),
      (key) => look.set(key, '[]'),
      (key) => look.set(key, '{"value":5}'),
      (key) => look.set(key, JSON.stringify({ value: { version: 0, secret: 's' } })),
      (key) => look.set(key, JSON.stringify({ value: record })),
    ];
    for (const [index, spoil] of garbage.entries()) {
      const tenantKey = `tenant${index}`;
      const key = fleet.keyOf(tenantKey);
      await spoil(key);
      const { value } = await process.call('get', tenantKey);
      expect(await process.call('isAccepted', value)).toBe(true);
      await waitUntil(
        async () => (await look.type(key)) === 'string' && ((await look.get(key)) ?? '').includes(value),
      );
    }
    expect((await process.call('metrics')).store.errors).toBeGreaterThanOrEqual(garbage.length);
  });

  it('#40 a key that somebody uses for a list or a hash is a miss, and overwritten', async () => {
    const spoils: ((key: string) => Promise<unknown>)[] = [
      (key) => look.rPush(key, 'a list'),
      (key) => look.hSet(key, 'a', 'hash'),
    ];
    for (const spoil of spoils) {
      const fleet = newFleet();
      const process = await fleet.add();
      await spoil(fleet.keyOf());
      const { value } = await process.call('get');
      await waitUntil(async () => (await look.type(fleet.keyOf())) === 'string');
      expect(await fleet.isStored(value)).toBe(true);
    }
  });

  it('#41 what a caller does to a token reaches neither this process nor another', async () => {
    const fleet = newFleet();
    const [one, other] = await Promise.all([fleet.add(), fleet.add()]);
    const { value, expiresAt } = await one.call('get');
    expect(await one.call('spoil')).toMatchObject({ value, expiresAt });
    expect(await other.call('get')).toMatchObject({ value, expiresAt });
  });

  it('#42 tenants come and go within the bounds that were set', async () => {
    const maxTokens = 50;
    // A slot with a flight stays.
    const AT_ONCE = 25;
    const fleet = newFleet({ appType: 'store', options: { maxTokens, prewarm: { onBootstrap: 'off' } } });
    const process = await fleet.add();
    await process.call('setTicket', fleet.ticket);
    const visit = async (tenants: readonly string[]): Promise<void> => {
      for (let at = 0; at < tenants.length; at += AT_ONCE) {
        await Promise.all(tenants.slice(at, at + AT_ONCE).map((tenantKey) => process.call('get', tenantKey)));
      }
    };
    await visit(TENANTS.slice(0, 150));
    const before = await process.call('heapUsed');
    await visit(TENANTS.slice(150));
    await visit(TENANTS.slice(0, 150));
    const { kinds } = await process.call('metrics');
    expect(kinds.tenant.tokens).toBeLessThanOrEqual(maxTokens + AT_ONCE);
    // Those that were let go of came back from Redis, not from the platform.
    expect(kinds.tenant.refresh.attempts).toBe(TENANTS.length);
    expect((await process.call('heapUsed')) - before).toBeLessThan(8 * 1_024 * 1_024);
  });

  it('#37 a process that is closed ends by itself, with Redis there or not', async () => {
    const fleet = newFleet();
    const [one, other] = await Promise.all([fleet.add(), fleet.add()]);
    await Promise.all([one.call('get'), other.call('get')]);
    expect(await one.endsByItself(5_000)).toBe(true);
    await redis.kill();
    await other.call('get');
    expect(await other.endsByItself(5_000)).toBe(true);
    await redis.start();
  });

  describe('#47 with two versions of the module', () => {
    const NEXT = {
      name: 'fleet-next',
      file: 'store/record-store.ts',
      from: 'SCHEMA_VERSION = 1',
      to: 'SCHEMA_VERSION = 2',
    } as const;

    it('a rolling deploy: the new one takes over, the old one leaves its records alone, nobody fails', async () => {
      const fleet = newFleet();
      const old = await fleet.add();
      const { value } = await old.call('get');
      await waitUntil(() => fleet.isStored('"version":1'));

      const next = await fleet.add({}, NEXT);
      expect((await next.call('get')).value).toBe(value);
      await waitUntil(() => fleet.isStored('"version":2'));
      const record = await look.get(fleet.keyOf());

      const oldToo = await fleet.add();
      expect(await oldToo.call('get')).toMatchObject({ value, source: 'platform' });
      await oldToo.call('get');
      const nextToo = await fleet.add({}, NEXT);
      expect(await nextToo.call('get')).toMatchObject({ value, source: 'store' });
      expect(await look.get(fleet.keyOf())).toBe(record);

      // A rejected token is replaced on both sides, and neither touches what is not its own.
      emulator.revoke(value);
      expect(await old.call('invalidate', value)).toBe(true);
      const renewed = await old.call('get');
      expect(await old.call('isAccepted', renewed.value)).toBe(true);
      expect(await look.get(fleet.keyOf())).toBe(record);
      expect(await next.call('invalidate', value)).toBe(true);
      expect((await next.call('get')).value).toBe(renewed.value);
    });
  });
});

/** Where several come together: the last to arrive does what all wait for. */
class Barrier {
  private missing: number;
  private open!: () => void;
  private fail!: (error: unknown) => void;
  private readonly opened = new Promise<void>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });

  constructor(
    count: number,
    private readonly act: () => void | Promise<void>,
  ) {
    this.missing = count;
  }

  async pass(): Promise<void> {
    if (--this.missing === 0) Promise.resolve(this.act()).then(this.open, this.fail);
    await this.opened;
  }
}
