import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { envelopeOf, signedRequest, type EmulatedEvent } from '../../lib/testing/emulator-event-body.js';
import { FeishuEmulator } from '../../lib/testing/index.js';
import { compiledFleet } from './compiled-fleet.js';
import { waitUntil } from './fleet.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

const APP = { appId: 'cli_eventfleet', appSecret: 'the-secret-of-the-fleet' };
const KEYS = { encryptKey: 'an encrypt key' };
const EVENTS = 100;

interface Answer {
  outcome: string;
  tookMs: number;
}

/** One process with an event endpoint. */
class EventProcess {
  readonly handled: string[] = [];
  url = '';
  private readonly answers = new Map<number, (answer: Answer) => void>();
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: { url?: string; handled?: string; id?: number } & Answer) => {
      if (message.url !== undefined) this.url = message.url;
      if (message.handled !== undefined) this.handled.push(message.handled);
      if (message.id !== undefined) this.answers.get(message.id)?.(message);
    });
  }

  static async start(setup: object): Promise<EventProcess> {
    const script = join(dirname(await compiledFleet()), 'event-process.js');
    const started = new EventProcess(fork(script, [JSON.stringify(setup)], { execArgv: [] }));
    await waitUntil(() => started.url !== '', 30_000);
    return started;
  }

  /** How a read of a tenant's token ends. */
  read(tenantKey: string): Promise<Answer> {
    const id = ++this.asked;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.child.send({ id, tenantKey });
    });
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

describeWithRedis('two processes with one Redis', () => {
  let redis: RedisServer;
  let emulator: FeishuEmulator;
  let processes: EventProcess[];

  beforeAll(async () => {
    redis = await RedisServer.start();
    emulator = await FeishuEmulator.start({
      apps: [{ ...APP, appType: 'store', tenantKeys: ['tenant_a', 'tenant_b'] }],
    });
    const setup = { ...APP, events: KEYS, domain: emulator.domain, redisUrl: redis.url };
    processes = await Promise.all([EventProcess.start(setup), EventProcess.start(setup)]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await emulator.stop();
    await redis.kill();
  });

  const [first, second] = [(): EventProcess => at(0), (): EventProcess => at(1)];
  function at(index: number): EventProcess {
    const process = processes[index];
    if (!process) throw new Error('no such process');
    return process;
  }

  async function deliver(to: EventProcess, event: EmulatedEvent): Promise<number> {
    const now = Date.now();
    const { headers, body } = signedRequest(envelopeOf(APP.appId, event, KEYS, now), KEYS, now);
    return (await fetch(to.url, { method: 'POST', headers, body })).status;
  }

  it('wake each other within a second with a ticket that came to one', async () => {
    const waiting = second().read('tenant_a');
    await waitUntil(() => emulator.requestsTo('/open-apis/auth/v3/app_ticket/resend').length > 0);
    const deliveredAt = performance.now();
    const appTicket = emulator.apps.ticket(APP.appId);
    const event = { app_ticket: appTicket };
    expect(await deliver(first(), { type: 'app_ticket', schema: '1.0', event })).toBe(200);
    expect(await waiting).toMatchObject({ outcome: 'token' });
    expect(performance.now() - deliveredAt).toBeLessThan(1_500);
    expect(await first().read('tenant_a')).toMatchObject({ outcome: 'token' });
    expect(emulator.requestsTo('/open-apis/auth/v3/app_ticket/resend')).toHaveLength(1);
  }, 20_000);

  it('handle each event once, whichever of them it comes to, and however often', async () => {
    const run = Date.now();
    const ids = Array.from({ length: EVENTS }, (_, i) => `event-${run}-${i}`);
    const ofRun = (process: EventProcess): string[] =>
      process.handled.filter((id) => id.startsWith(`event-${run}`));
    // One for each to begin with, so that both have a share however the rest is raced for.
    const type = 'im.message.receive_v1';
    await deliver(second(), { type, tenantKey: 'tenant_a', eventId: ids[0] as string });
    await deliver(first(), { type, tenantKey: 'tenant_a', eventId: ids[1] as string });
    const statuses = await Promise.all(
      ids.flatMap((eventId) =>
        [first(), second(), first()].map((process) =>
          deliver(process, { type, tenantKey: 'tenant_a', eventId }),
        ),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const handled = (): string[] => [...ofRun(first()), ...ofRun(second())];
    await waitUntil(() => handled().length >= EVENTS);
    expect(handled().toSorted()).toEqual(ids.toSorted());
    expect(Math.min(ofRun(first()).length, ofRun(second()).length)).toBeGreaterThan(0);
  }, 30_000);

  it('refuse in one the very request that the other took', async () => {
    const now = Date.now();
    const envelope = envelopeOf(APP.appId, { type: 'im.message.receive_v1' }, KEYS, now);
    const { headers, body } = signedRequest(envelope, KEYS, now);
    const send = async (to: EventProcess): Promise<number> =>
      (await fetch(to.url, { method: 'POST', headers, body })).status;
    expect([await send(first()), await send(second())]).toEqual([200, 403]);
  });

  it('both refuse a tenant that uninstalled, and serve it when it is back', async () => {
    for (const process of processes) {
      expect(await process.read('tenant_b')).toMatchObject({ outcome: 'token' });
    }
    const gone: EmulatedEvent = { type: 'app_uninstalled', schema: '1.0', tenantKey: 'tenant_b' };
    expect(await deliver(first(), gone)).toBe(200);
    expect(await first().read('tenant_b')).toMatchObject({ outcome: 'ERR_FEISHU_TENANT_REJECTED' });
    // The other one learns it from the store, at a sweep of its own, when one of the first has told.
    await waitUntil(async () => (await second().read('tenant_b')).outcome === 'ERR_FEISHU_TENANT_REJECTED');

    const back: EmulatedEvent = { ...gone, type: 'app_open' };
    expect(await deliver(second(), back)).toBe(200);
    expect(await second().read('tenant_b')).toMatchObject({ outcome: 'token' });
    await waitUntil(async () => (await first().read('tenant_b')).outcome === 'token', 5_000);
  }, 30_000);
});
