import { jest } from '@jest/globals';
import { type IncomingMessage, request as httpRequest, type ClientRequest, type Server } from 'node:http';
import { promisify } from 'node:util';
import { type INestApplication, Injectable } from '@nestjs/common';
import {
  type FeishuEvent,
  InProcessRefreshLock,
  OnFeishuEvent,
  RefreshLock,
  TokenService,
} from '../lib/index.js';
import { FeishuEmulator, type SignedRequest } from '../lib/testing/index.js';
import { envelopeOf, signedRequest } from '../lib/testing/emulator-event-body.js';
import { Gate, until } from './fixtures/feishu-platform.js';
import {
  deliver,
  HOSTS,
  KEYS,
  type RunningStoreApp,
  startStoreApp,
  STORE_APP,
  type StoreAppOptions,
} from './fixtures/store-app.js';

jest.setTimeout(30_000);

const MESSAGE = { type: 'im.message.receive_v1', tenantKey: 'tenant_a', event: { message: { text: 'hi' } } };

@Injectable()
class Bot {
  readonly seen: FeishuEvent[] = [];
  act: () => unknown = () => undefined;

  @OnFeishuEvent('im.message.receive_v1')
  onMessage(event: FeishuEvent): unknown {
    this.seen.push(event);
    return this.act();
  }
}

/** A lock whose claims are answered when the test says so. */
class GatedLock extends RefreshLock {
  asked = 0;
  readonly gate = new Gate();
  private readonly lock = new InProcessRefreshLock();

  acquire(...args: Parameters<RefreshLock['acquire']>): ReturnType<RefreshLock['acquire']> {
    return this.lock.acquire(...args);
  }

  override async claim(key: string, ttlMs: number): Promise<boolean> {
    this.asked++;
    await this.gate.opened;
    return this.lock.claim(key, ttlMs);
  }
}

describe.each(HOSTS)('a delivery that goes wrong, on %s', (name, adapter) => {
  let emulator: FeishuEmulator;
  let running: RunningStoreApp[];

  beforeEach(async () => {
    running = [];
    emulator = await FeishuEmulator.start({ apps: [{ ...STORE_APP, tenantKeys: ['tenant_a'] }] });
  });
  afterEach(async () => {
    await Promise.all(running.map(({ app }) => app.close()));
    await emulator.stop();
  });

  async function start(options: Partial<StoreAppOptions> = {}): Promise<INestApplication> {
    const started = await startStoreApp({
      emulator,
      adapter: adapter(),
      providers: [Bot],
      subscribes: false,
      ...options,
      // Nothing but the deliveries of the test asks the lock.
      options: { prewarm: false, ...options.options },
    });
    running.push(started);
    return started.app;
  }
  const url = (): string => running[0]?.url ?? '';
  const metrics = () => running[0]?.app.get(TokenService).metrics().events;

  function requestOf(event = MESSAGE as Parameters<typeof envelopeOf>[1]): SignedRequest {
    const at = emulator.clock.now();
    return signedRequest(envelopeOf(STORE_APP.appId, event, KEYS, at), KEYS, at);
  }

  it('A1 is handled once although the connection is cut while its claim is awaited', async () => {
    const lock = new GatedLock();
    const app = await start({ options: { lock } });
    const bot = app.get(Bot);
    const event = { ...MESSAGE, eventId: 'e-1' };
    const cut = send(url(), requestOf(event));
    await until(() => lock.asked > 0);
    cut.destroy();
    // The server knows that the connection is gone before the claim is granted.
    const connections = promisify((app.getHttpServer() as Server).getConnections.bind(app.getHttpServer()));
    while ((await connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
    lock.gate.open();
    await until(() => bot.seen.length > 0);
    expect(await deliver(url(), requestOf(event))).toMatchObject({ status: 200 });
    expect(metrics()).toMatchObject({ accepted: 1, duplicates: 1, handlers: { done: 1, pending: 0 } });
    expect(bot.seen).toHaveLength(1);
  });

  it('B9 is accepted if the host keeps the raw body as text', async () => {
    const app = await start({
      rawBody: name === 'Fastify',
      configure: (it) => (name === 'Fastify' ? keepTextOnFastify(it) : it.use(keepTextOnExpress)),
    });
    expect(await deliver(url(), requestOf())).toMatchObject({ status: 200, body: {} });
    await until(() => app.get(Bot).seen.length === 1);
    expect(metrics()).toMatchObject({ accepted: 1, rejected: 0 });
  });

  it('B9 is answered 500 with both causes in the log if the body was parsed and its bytes were not kept', async () => {
    await start({ rawBody: false });
    expect(await deliver(url(), requestOf())).toMatchObject({
      status: 500,
      body: { code: 'ERR_FEISHU_CONFIG_INVALID' },
    });
    const [line, ...more] = (running[0]?.logged ?? []).filter(({ level }) => level === 'error');
    expect(more).toEqual([]);
    expect(line?.message).toContain('rawBody: true');
    expect(line?.message).toContain('another body parser runs before the parser of Nest');
  });

  it.each([
    ['application/vnd.x+json', '{"hello":"world"}'],
    ['text/plain', 'hello'],
    ['application/x-www-form-urlencoded', 'a=b'],
  ])('B9 is refused without advice to the operator if a stranger sends %s', async (type, body) => {
    await start();
    const { status } = await deliver(url(), { headers: { 'content-type': type }, body });
    // Fastify answers 415 to a type that it has no parser for, before it asks the endpoint.
    const refused = name === 'Express' || !type.includes('vnd') ? [403, 1] : [415, 0];
    expect([status, metrics()?.rejected]).toEqual(refused);
    expect((running[0]?.logged ?? []).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

/** POSTs a request whose connection the test can cut. */
function send(url: string, { headers, body }: SignedRequest): ClientRequest {
  const request = httpRequest(url, { method: 'POST', headers });
  request.on('error', () => undefined);
  request.end(body);
  return request;
}

interface WithRawBody {
  rawBody?: unknown;
  body?: unknown;
}

/** A body parser of the application that runs before the one of Nest, and keeps text. */
function keepTextOnExpress(
  request: IncomingMessage & WithRawBody & { _body?: boolean },
  _response: unknown,
  next: () => void,
): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    Object.assign(request, { rawBody: text, body: JSON.parse(text) as unknown, _body: true });
    next();
  });
}

function keepTextOnFastify(app: INestApplication): void {
  const instance = app.getHttpAdapter().getInstance() as {
    addHook(name: 'preHandler', hook: (request: WithRawBody) => Promise<void>): void;
  };
  instance.addHook('preHandler', (request) => {
    request.rawBody = String(request.rawBody);
    return Promise.resolve();
  });
}
