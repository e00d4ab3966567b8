import { createServer, type IncomingMessage, request as forward, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import { type TokenService } from '../lib/index.js';
import { createLarkClient, type LarkClientOptions } from '../lib/lark-sdk/index.js';
import { type FeishuEmulatorOptions } from '../lib/testing/index.js';
import { LarkWorld, MESSAGE, MESSAGES, RecordingLogger } from './fixtures/lark-world.js';

jest.setTimeout(30_000);

const INVALID = 99991663;
const UPLOAD = { file_type: 'stream' as const, file_name: 'notes.txt' };

let world: LarkWorld;
let client: lark.Client;
let tokens: TokenService;

async function start(options: FeishuEmulatorOptions & { client?: LarkClientOptions } = {}): Promise<void> {
  const { client: clientOptions, ...emulatorOptions } = options;
  world = await LarkWorld.start({}, emulatorOptions);
  ({ client, tokens } = await world.client(clientOptions));
}

/** Revokes the client's token and clears the request log. */
async function revoke(): Promise<string> {
  const token = await tokens.getTenantAccessToken();
  world.emulator.revoke(token);
  world.emulator.requests.length = 0;
  return token;
}

afterEach(() => world.stop());

describe('where a token goes', () => {
  let other: Server;
  let seen: IncomingMessage[];
  let otherOrigin: string;

  beforeEach(async () => {
    await start();
    seen = [];
    other = createServer((message, response) => {
      seen.push(message);
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code: INVALID, msg: 'give me another' }));
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    otherOrigin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });

  afterEach(() => new Promise((resolve) => other.close(resolve)));

  it('is the open host only', async () => {
    await expect(client.request({ method: 'GET', url: `${otherOrigin}/steal` })).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
    });
    expect(seen).toEqual([]);
  });

  it('is not the target of a redirect, whose answer causes no replay', async () => {
    const token = await tokens.getTenantAccessToken();
    const url = `/open-apis/emulator/redirect?to=${encodeURIComponent(`${otherOrigin}/steal`)}`;
    await expect(client.request({ method: 'GET', url })).rejects.toMatchObject({ response: { status: 400 } });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(await tokens.getTenantAccessToken()).toBe(token);
  });

  it('any origin receives a request without a token of the module', async () => {
    await expect(client.httpInstance.get(`${otherOrigin}/image`)).rejects.toMatchObject({
      response: { data: { code: INVALID } },
    });
    expect(seen).toHaveLength(1);
  });
});

describe('limits', () => {
  it('a call has a timeout of 10 s by default, an upload 2 minutes', async () => {
    await start();
    world.emulator.faults.add({ path: '/open-apis/im/', kind: 'reset' });
    const timeoutOf = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => undefined,
        (error: { config: { timeout: number } }) => error.config.timeout,
      );
    expect(await timeoutOf(client.im.message.create(MESSAGE))).toBe(10_000);
    expect(await timeoutOf(client.im.file.create({ data: { ...UPLOAD, file: Buffer.from('a') } }))).toBe(
      120_000,
    );
    expect(await timeoutOf(client.request({ method: 'GET', url: '/open-apis/im/x', timeout: 7 }))).toBe(7);
  });

  it('a call that hangs is aborted', async () => {
    await start({ client: { http: { timeout: 100 } } });
    world.emulator.faults.add({ path: MESSAGES, kind: 'hang' });
    await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });

  it('a download that stalls is aborted', async () => {
    await start({ client: { http: { timeout: 200 } } });
    const answer = await client.request<Readable>({
      method: 'GET',
      url: '/open-apis/emulator/slow',
      params: { chunks: 2, intervalMs: 60_000 },
      responseType: 'stream',
    });
    await expect(text(answer)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('calls go through a proxy', async () => {
    await start();
    const proxied: string[] = [];
    const proxy = createServer((message, response) => {
      proxied.push(message.url ?? '');
      const outgoing = forward(
        message.url ?? '',
        { method: message.method, headers: message.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      message.pipe(outgoing);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    try {
      const through = createLarkClient(tokens, {
        logger: new RecordingLogger(),
        http: { proxy: { host: '127.0.0.1', port, protocol: 'http' } },
      });
      await revoke();
      await through.im.message.create(MESSAGE);
      expect(proxied.map((url) => new URL(url).pathname)).toEqual([MESSAGES, MESSAGES]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
