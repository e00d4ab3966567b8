import { type ServerResponse } from 'node:http';
import { type INestApplication, Injectable } from '@nestjs/common';
import {
  AppTicketService,
  type FeishuEvent,
  InProcessRefreshLock,
  OnFeishuEvent,
  TokenService,
} from '../lib/index.js';
import { FeishuEmulator, type SignedRequest, TestClock } from '../lib/testing/index.js';
import { signedRequest, envelopeOf } from '../lib/testing/emulator-event-body.js';
import { Gate, until } from './fixtures/feishu-platform.js';
import {
  deliver,
  forged,
  HOSTS,
  KEYS,
  type RunningStoreApp,
  startStoreApp,
  STORE_APP,
  type StoreAppOptions,
} from './fixtures/store-app.js';

const RESEND = '/open-apis/auth/v3/app_ticket/resend';
const REFUSAL = { code: 'ERR_FEISHU_EVENT_REJECTED', msg: 'this delivery is not accepted' };
const MESSAGE = { type: 'im.message.receive_v1', tenantKey: 'tenant_a', event: { message: { text: 'hi' } } };

@Injectable()
class Bot {
  readonly seen: FeishuEvent[] = [];
  readonly everything: string[] = [];
  act: () => unknown = () => undefined;

  @OnFeishuEvent('im.message.receive_v1')
  onMessage(event: FeishuEvent): unknown {
    this.seen.push(event);
    return this.act();
  }

  @OnFeishuEvent('*')
  onAny({ eventType }: FeishuEvent): void {
    this.everything.push(eventType);
  }
}

describe.each(HOSTS)('the event endpoint on %s', (_name, adapter) => {
  let emulator: FeishuEmulator;
  let running: RunningStoreApp[];

  beforeEach(async () => {
    running = [];
    emulator = await FeishuEmulator.start({ apps: [{ ...STORE_APP, tenantKeys: ['tenant_a', 'tenant_b'] }] });
  });
  afterEach(async () => {
    await Promise.all(running.map(({ app }) => app.close()));
    await emulator.stop();
  });

  async function start(options: Partial<StoreAppOptions> = {}): Promise<INestApplication> {
    const started = await startStoreApp({ emulator, adapter: adapter(), providers: [Bot], ...options });
    running.push(started);
    return started.app;
  }
  const url = (): string => running[0]?.url ?? '';
  const metrics = (): unknown => running[0]?.app.get(TokenService).metrics().events;

  /** An encrypted and signed event that is not delivered yet. */
  function requestOf(at = emulator.clock.now(), event = MESSAGE): SignedRequest {
    return signedRequest(envelopeOf(STORE_APP.appId, event, KEYS, at), KEYS, at);
  }

  it('answers the challenge of the developer console', async () => {
    await start();
    expect(await emulator.events.verifyUrl(STORE_APP.appId)).toBe(true);
    expect(metrics()).toMatchObject({ challenges: 1, rejected: 0 });
  });

  it('gets its ticket and its tokens without a call of the application', async () => {
    const app = await start();
    const tokens = app.get(TokenService);
    expect(await tokens.getTenantAccessToken({ tenantKey: 'tenant_a' })).toMatch(/^t-/);
    expect(emulator.requestsTo(RESEND)).toHaveLength(1);
    expect(await app.get(AppTicketService).current()).toBe(emulator.apps.ticket(STORE_APP.appId));
  });

  it('takes over the ticket that Feishu pushes every hour', async () => {
    const clock = new TestClock(emulator.clock.now());
    emulator.clock.freeze();
    const app = await start({ clock });
    await until(() => emulator.events.deliveries.length > 0);
    await emulator.events.settled();
    await clock.advance(3_600_000);
    emulator.clock.advance(3_600_000);
    await emulator.events.settled();
    expect(await app.get(AppTicketService).current()).toBe(emulator.apps.ticket(STORE_APP.appId));
    expect(emulator.events.deliveries.filter(({ eventType }) => eventType === 'app_ticket')).toHaveLength(2);
  });

  it.each(['1.0', '2.0'] as const)('passes an event of schema %s to its handlers', async (schema) => {
    const app = await start();
    const delivery = await emulator.events.push(STORE_APP.appId, { ...MESSAGE, schema });
    expect(delivery.attempts).toEqual([200]);
    const bot = app.get(Bot);
    await until(() => bot.seen.length > 0);
    expect(bot.seen).toEqual([
      {
        schema,
        eventId: delivery.eventId,
        eventType: 'im.message.receive_v1',
        tenantKey: 'tenant_a',
        appId: STORE_APP.appId,
        createdAt: expect.any(Date),
        event: expect.objectContaining(MESSAGE.event),
        payload: expect.any(Object),
      },
    ]);
    expect(bot.everything).toContain('im.message.receive_v1');
    expect(JSON.stringify(bot.seen)).not.toContain(KEYS.verificationToken);
  });

  it('answers 200 before a handler runs, also when the handler fails', async () => {
    const app = await start();
    const bot = app.get(Bot);
    const gate = new Gate();
    bot.act = () => gate.opened;
    const slow = await emulator.events.push(STORE_APP.appId, MESSAGE);
    bot.act = () => {
      throw new Error('a handler that fails');
    };
    const failing = await emulator.events.push(STORE_APP.appId, MESSAGE);
    bot.act = () => Promise.reject(new Error('a handler that rejects'));
    const rejecting = await emulator.events.push(STORE_APP.appId, MESSAGE);
    expect([slow, failing, rejecting].map(({ attempts }) => attempts)).toEqual([[200], [200], [200]]);
    await until(() => bot.seen.length === 3);
    gate.open();
    await until(() => (metrics() as { handlers: { pending: number } }).handlers.pending === 0);
    expect(metrics()).toMatchObject({ handlers: { failed: 2, dropped: 0 } });
    const failures = running[0]?.logged.filter(({ message }) => message.includes('Bot.onMessage failed'));
    expect(failures?.[0]?.message).toContain('a handler that fails');
    expect(failures).toHaveLength(1);
  });

  it('starts a handler after the reply is sent', async () => {
    const order: string[] = [];
    const app = await start({
      configure: (it) =>
        it.use((_request: unknown, response: ServerResponse, next: () => void) => {
          response.once('finish', () => order.push('answered'));
          next();
        }),
    });
    app.get(Bot).act = () => order.push('handled');
    await until(() => emulator.events.deliveries.some(({ isAcknowledged }) => isAcknowledged));
    order.length = 0;
    await emulator.events.push(STORE_APP.appId, MESSAGE);
    await until(() => order.includes('handled'));
    expect(order).toEqual(['answered', 'handled']);
  });

  it('acknowledges a redelivered event and handles it once', async () => {
    const app = await start();
    const event = { ...MESSAGE, eventId: 'e-1' };
    for (let i = 0; i < 3; i++) {
      expect((await emulator.events.push(STORE_APP.appId, event)).attempts).toEqual([200]);
    }
    await until(() => app.get(Bot).seen.length > 0);
    expect(app.get(Bot).seen).toHaveLength(1);
    expect(metrics()).toMatchObject({ duplicates: 2 });
  });

  it('refuses the same request a second time', async () => {
    await start();
    const request = requestOf();
    expect(await deliver(url(), request)).toMatchObject({ status: 200, body: {} });
    expect(await deliver(url(), request)).toMatchObject({ status: 403, body: REFUSAL });
    expect(metrics()).toMatchObject({ rejectedByReason: { replay: 1 } });
  });

  it('gives every refused delivery the same reply, and changes nothing', async () => {
    const app = await start();
    await app.get(AppTicketService).waitForTicket();
    await emulator.events.settled();
    const before = await app.get(AppTicketService).current();
    const ticket = { type: 'app_ticket', schema: '1.0', event: { app_ticket: 'forged' } } as const;
    const at = emulator.clock.now();
    const plain = envelopeOf(STORE_APP.appId, ticket, KEYS, at);
    const good = signedRequest(plain, KEYS, at);
    const bad: [string, SignedRequest][] = [
      ['signature', forged(good, { headers: { 'x-lark-signature': undefined } })],
      ['signature', forged(good, { headers: { 'x-lark-signature': 'f'.repeat(64) } })],
      ['signature', forged(good, { headers: { 'x-lark-request-nonce': 'another' } })],
      ['signature', forged(good, { body: JSON.stringify({ ...plain, encrypt: 'AAAA' }) })],
      ['signature', forged(good, { body: JSON.stringify(plain) })],
      ['signature', { headers: { 'content-type': 'application/json' }, body: JSON.stringify(plain) }],
      ['signature', signedRequest(plain, { ...KEYS, encryptKey: 'another key' }, at)],
      ['timestamp', signedRequest(plain, KEYS, at - 8 * 3_600_000 - 2_000)],
      ['timestamp', signedRequest(plain, KEYS, at + 5 * 60_000 + 2_000)],
      ['token', signedRequest(envelopeOf(STORE_APP.appId, ticket, {}, at), KEYS, at)],
      ['app', signedRequest(envelopeOf('cli_another', ticket, KEYS, at), KEYS, at)],
      ['body', signedRequest({ what: 'is this' }, KEYS, at)],
    ];
    const answers = new Set<string>();
    for (const [, request] of bad) {
      const { status, text } = await deliver(url(), request);
      answers.add(`${status} ${text}`);
    }
    expect([...answers]).toEqual([`403 ${JSON.stringify(REFUSAL)}`]);
    expect(metrics()).toMatchObject({
      rejected: bad.length,
      rejectedByReason: { signature: 7, timestamp: 2, token: 1, app: 1, body: 1 },
    });
    expect(await app.get(AppTicketService).current()).toBe(before);
    const lines = running[0]?.logged.filter(({ message }) => message.includes('event refused'));
    expect(lines).toHaveLength(5);
  });

  it('leaves malformed and oversized bodies to the parser of the host', async () => {
    await start();
    const headers = { 'content-type': 'application/json' };
    expect((await deliver(url(), { headers, body: '{"encrypt":' })).status).toBe(400);
    const tooLarge = JSON.stringify({ encrypt: 'A'.repeat(2 * 1_024 * 1_024) });
    expect((await deliver(url(), { headers, body: tooLarge })).status).toBe(413);
    for (const body of ['', 'hello']) {
      const { status } = await deliver(url(), { headers: { 'content-type': 'text/plain' }, body });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  it('accepts nothing and logs the fix when the host keeps no raw body', async () => {
    const app = await start({ rawBody: false });
    const { status, body } = await deliver(url(), requestOf());
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
    await deliver(url(), requestOf());
    const errors = running[0]?.logged.filter(({ message }) => message.includes('rawBody: true'));
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.level).toBe('error');
    expect(app.get(Bot).seen).toEqual([]);
  });

  it('is not changed by interceptors and versioning of the host', async () => {
    await start({
      configure: (app) => {
        app.useGlobalInterceptors({
          intercept: (_context, next) => next.handle(),
        });
        app.enableVersioning();
      },
    });
    expect(await emulator.events.verifyUrl(STORE_APP.appId)).toBe(true);
  });

  it('receives a redelivery on schedule after it did not answer', async () => {
    const app = await start();
    const where = url();
    await app.close();
    running = [];
    emulator.events.subscribe({ appId: STORE_APP.appId, url: where, ...KEYS });
    const delivery = await emulator.events.push(STORE_APP.appId, MESSAGE);
    expect(delivery.attempts).toEqual([0]);
    for (const ms of [15_000, 300_000, 3_600_000]) {
      emulator.clock.advance(ms);
      await emulator.events.settled();
    }
    expect(delivery.attempts).toEqual([0, 0, 0, 0]);
    emulator.clock.advance(6 * 3_600_000 - 1_000);
    await emulator.events.settled();
    expect(delivery.attempts).toHaveLength(4);
    emulator.clock.advance(1_000);
    await emulator.events.settled();
    emulator.clock.advance(24 * 3_600_000);
    await emulator.events.settled();
    expect(delivery.attempts).toHaveLength(5);
  });

  it('waits for handlers when it closes, and answers 503 to later deliveries', async () => {
    const app = await start();
    const bot = app.get(Bot);
    const gate = new Gate();
    bot.act = () => gate.opened;
    await emulator.events.push(STORE_APP.appId, MESSAGE);
    await until(() => bot.seen.length === 1);
    let isClosed = false;
    const closing = app.close().then(() => (isClosed = true));
    await until(() => !isClosed);
    const late = await deliver(url(), requestOf());
    expect(late).toMatchObject({ status: 503, body: { code: 'ERR_FEISHU_CLOSED' } });
    gate.open();
    await closing;
    running = [];
    expect(bot.seen).toHaveLength(1);
  });

  it('handles each event once in instances that share a lock', async () => {
    const lock = new InProcessRefreshLock();
    const apps = [await start({ options: { lock } }), await start({ options: { lock }, adapter: adapter() })];
    const events = Array.from({ length: 20 }, (_, i) => ({ ...MESSAGE, eventId: `e-${i}` }));
    const at = emulator.clock.now();
    const answers = await Promise.all(
      events.flatMap((event) =>
        running.map(({ url: to }) =>
          deliver(to, signedRequest(envelopeOf(STORE_APP.appId, event, KEYS, at), KEYS, at)),
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const seen = (): string[] => apps.flatMap((app) => app.get(Bot).seen.map(({ eventId }) => eventId));
    await until(() => seen().length >= 20);
    expect(seen().toSorted()).toEqual(events.map(({ eventId }) => eventId).toSorted());
  });
});
