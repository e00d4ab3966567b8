import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, request as forward, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import { type TokenService } from '../lib/index.js';
import { ownerOf } from '../lib/token.service.js';
import { createLarkClient, type LarkClientOptions, larkHttpInstance } from '../lib/lark-sdk/index.js';
import { type FeishuEmulatorOptions } from '../lib/testing/index.js';
import {
  callerOf,
  ECHO,
  failuresOf,
  FILES,
  LarkWorld,
  MESSAGE,
  MESSAGES,
  RecordingLogger,
  times,
} from './fixtures/lark-world.js';

jest.setTimeout(30_000);

const INVALID = 99991663;
const THIS_FILE = fileURLToPath(import.meta.url);
const UPLOAD = { file_type: 'stream' as const, file_name: 'notes.txt' };

let world: LarkWorld;
let client: lark.Client;
let tokens: TokenService;

async function start(options: FeishuEmulatorOptions & { client?: LarkClientOptions } = {}): Promise<void> {
  const { client: clientOptions, ...emulatorOptions } = options;
  world = await LarkWorld.start({}, emulatorOptions);
  ({ client, tokens } = await world.client(clientOptions));
}

/** The token that the client holds is refused from now on; the log of requests starts over. */
async function revoke(): Promise<string> {
  const token = await tokens.getTenantAccessToken();
  world.emulator.revoke(token);
  world.emulator.requests.length = 0;
  return token;
}

/** The codes of all answers of this API so far. */
function codes(path: string | RegExp): number[] {
  return world.emulator.requestsTo(path).map(({ code }) => code);
}

afterEach(() => world.stop());

describe.each([400, 200] as const)('a token that is refused by HTTP %i', (tokenErrorStatus) => {
  beforeEach(() => start({ tokenErrorStatus }));

  it('is replaced once for all, and each call is sent once more', async () => {
    await revoke();
    expect(await failuresOf(times(20, () => client.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(1);
  });

  it('is replaced on a download, whose body is whole', async () => {
    await revoke();
    const file = await client.im.file.get({
      path: { file_key: 'file_v3_1' },
      params: { size: 100_000 },
    } as never);
    expect((await buffer(file.getReadableStream())).length).toBe(100_000);
    expect(file.headers).toHaveProperty('content-disposition');
    expect(codes(/im\/v1\/files/)).toEqual([INVALID, 0]);
  });

  it('is replaced on an upload of what is in memory', async () => {
    await revoke();
    const uploaded = await client.im.file.create({ data: { ...UPLOAD, file: Buffer.from('some text') } });
    expect(uploaded?.file_key).toMatch(/^file_v3_/);
    expect(codes(FILES)).toEqual([INVALID, 0]);

    const file = await client.im.file.get({ path: { file_key: uploaded?.file_key ?? '' } });
    expect(await text(file.getReadableStream())).toBe('some text');
  });

  it('is not replaced on an upload of a stream, which is used up; the next one succeeds', async () => {
    await revoke();
    const file = (): Promise<unknown> =>
      client.im.file.create({ data: { ...UPLOAD, file: createReadStream(THIS_FILE) } });

    // By HTTP 200 the SDK takes it for an answer, and finds nothing in it.
    const first = await file().catch(
      (error: { response: { data: { code: number } } }) => error.response.data.code,
    );
    expect(first).toBe(tokenErrorStatus === 400 ? INVALID : null);
    expect(codes(FILES)).toEqual([INVALID]);

    expect(await file()).toHaveProperty('file_key');
    expect(codes(FILES)).toEqual([INVALID, 0]);
    expect(codes(/tenant_access_token/)).toEqual([0]);
  });

  it('is replaced for the pages of an iterator', async () => {
    world.emulator.apis.add({
      path: '/open-apis/contact/v3/users',
      data: { items: [{ name: 'a' }], has_more: false },
    });
    await revoke();
    const pages: unknown[] = [];
    for await (const page of await client.contact.user.listWithIterator({ params: { page_size: 1 } }))
      pages.push(page);
    expect(pages).toEqual([{ items: [{ name: 'a' }] }]);
  });

  it('that the platform stands by is tried once more, and not again for a while', async () => {
    const token = await tokens.getTenantAccessToken();
    world.emulator.revoke(token, { sticky: true });
    for (const sent of [2, 1]) {
      world.emulator.requests.length = 0;
      expect(await failuresOf([client.im.message.create(MESSAGE)])).toBe(1);
      expect(codes(MESSAGES)).toEqual(times(sent, () => INVALID));
    }
  });
});

describe('the replay', () => {
  beforeEach(() => start());

  it('is exactly the call, whatever the caller does to its data meanwhile', async () => {
    await revoke();
    const data = { text: 'as it was', nested: { list: [1, 2] } };
    const call = client.request<{ data: object }>(
      { method: 'POST', url: ECHO, data, params: { a: '1', b: 'ü' }, headers: { 'X-Trace': 'abc' } },
      lark.withHelpDeskCredential(),
    );
    while (codes(ECHO).length === 0) await new Promise((resolve) => setImmediate(resolve));
    data.text = 'changed';
    data.nested.list.push(3);

    const answer = await call;
    expect(answer.data).toMatchObject({
      method: 'POST',
      query: { a: '1', b: 'ü' },
      body: { text: 'as it was', nested: { list: [1, 2] } },
      headers: {
        'content-type': 'application/json',
        'x-trace': 'abc',
        'x-lark-helpdesk-authorization': expect.stringMatching(/^Bearer /),
      },
    });
    expect(codes(ECHO)).toEqual([INVALID, 0]);
  });

  it('is what the caller made of it: a body of its own making is made once', async () => {
    await revoke();
    const answer = await client.request<{ data: object }>({
      method: 'POST',
      url: ECHO,
      data: { a: 1 },
      headers: { 'Content-Type': 'text/plain' },
      transformRequest: (data: unknown) => `made of ${JSON.stringify(data)}`,
    });
    expect(answer.data).toMatchObject({ body: 'made of {"a":1}', headers: { 'content-type': 'text/plain' } });
  });

  it('happens once: what it is answered is the answer', async () => {
    await revoke();
    world.emulator.faults.add({ path: MESSAGES, code: INVALID, status: 400 });
    expect(await failuresOf([client.im.message.create(MESSAGE)])).toBe(1);
    expect(codes(MESSAGES)).toEqual([INVALID, INVALID]);
  });

  it('does not happen when no other token is to be had: the answer of the API is the answer', async () => {
    await revoke();
    world.emulator.faults.add({ path: '/open-apis/auth/', code: 10014 });
    await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({
      response: { status: 400, data: { code: INVALID } },
    });
    expect(codes(MESSAGES)).toEqual([INVALID]);
  });

  it.each([99991672, 99991661, 99991668, 99991400, 230001])('does not happen for %i', async (code) => {
    const token = await tokens.getTenantAccessToken();
    world.emulator.requests.length = 0;
    world.emulator.faults.add({ path: MESSAGES, code, status: 400 });
    expect(await failuresOf([client.im.message.create(MESSAGE)])).toBe(1);
    expect(world.emulator.requests).toHaveLength(1);
    expect(await tokens.getTenantAccessToken()).toBe(token);
  });

  it('does not happen once the caller has called it off', async () => {
    await revoke();
    const controller = new AbortController();
    world.emulator.faults.add({ path: '/open-apis/auth/', latencyMs: 60_000 });
    const call = client.request({ method: 'POST', url: ECHO, data: {}, signal: controller.signal });
    while (codes(/tenant_access_token/).length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    expect(codes(ECHO)).toEqual([INVALID]);
  });

  it('is given to a raw answer as well', async () => {
    await revoke();
    const call = (responseType: 'arraybuffer' | 'text'): Promise<unknown> =>
      client.request({ method: 'GET', url: ECHO, responseType });
    expect(JSON.parse(String(await call('arraybuffer')))).toHaveProperty('code', 0);
    await revoke();
    expect(JSON.parse(String(await call('text')))).toHaveProperty('code', 0);
  });

  it('is left to whoever has a client of their own with only our HTTP instance and cache', async () => {
    const token = await revoke();
    const http = larkHttpInstance(tokens);
    const ask = (bearer: string): Promise<unknown> =>
      http.get(`${world.emulator.domain.open}${ECHO}`, { headers: { authorization: `Bearer ${bearer}` } });
    // A token that was never given to the SDK is the caller's own.
    await expect(ask(token)).rejects.toMatchObject({ response: { status: 400 } });
    expect(codes(ECHO)).toEqual([INVALID]);
  });
});

describe('downloads', () => {
  beforeEach(() => start());

  const json = JSON.stringify({ code: INVALID, msg: 'the content of a file', padding: 'x'.repeat(1_000) });

  it('of a file that looks like an error are files', async () => {
    world.emulator.faults.add({
      path: FILES,
      body: json,
      headers: { 'content-type': 'application/json', 'content-disposition': 'attachment; filename="a.json"' },
    });
    const file = await client.im.file.get({ path: { file_key: 'a' } });
    expect(await text(file.getReadableStream())).toBe(json);
    expect(codes(/files/)).toHaveLength(1);
  });

  it.each([
    ['small', JSON.stringify({ code: 230001, msg: 'no such file' })],
    ['data first', JSON.stringify({ data: { code: INVALID }, code: 0 })],
    ['larger than an error', JSON.stringify({ padding: 'x'.repeat(300_000), code: INVALID })],
  ])('of other JSON are given whole: %s', async (_what, body) => {
    world.emulator.faults.add({ path: FILES, body, headers: { 'content-type': 'application/json' } });
    const file = await client.im.file.get({ path: { file_key: 'a' } });
    expect(await text(file.getReadableStream())).toBe(body);
    expect(codes(/files/)).toHaveLength(1);
  });

  it('that fail for another reason have an error whose body can still be read', async () => {
    world.emulator.faults.add({
      path: FILES,
      status: 400,
      body: { code: 234001, msg: 'Invalid request param.' },
    });
    const error: unknown = await client.im.file
      .get({ path: { file_key: 'a' } })
      .catch((reason: unknown) => reason);
    const { response } = error as { response: { status: number; data: Readable } };
    expect(response.status).toBe(400);
    expect(JSON.parse(await text(response.data))).toMatchObject({ code: 234001 });
  });

  it('that are large pass through, and can be left half-way', async () => {
    const size = 8 * 1024 * 1024;
    const file = await client.im.file.get({ path: { file_key: 'a' }, params: { size } } as never);
    const stream = file.getReadableStream();
    await once(stream, 'readable');
    stream.destroy();
    expect(stream.destroyed).toBe(true);
    // The client goes on as if nothing had been.
    await client.im.message.create(MESSAGE);
  });
});

describe('identities', () => {
  const tenantKeys = ['tenant_a', 'tenant_b'];

  beforeEach(async () => {
    world = await LarkWorld.start({ appType: 'store', tenantKeys });
    tokens = await world.tokens();
    client = createLarkClient(tokens, { logger: new RecordingLogger() });
    world.emulator.tickets.on(({ appTicket }) => void ownerOf(tokens).tickets.set(appTicket));
  });

  it('stay what they were: each tenant gets its own new token', async () => {
    for (const tenantKey of tenantKeys) {
      world.emulator.revoke(await tokens.getTenantAccessToken({ tenantKey }));
    }
    const callers = await Promise.all(
      times(20, (index) => callerOf(client, lark.withTenantKey(tenantKeys[index % 2] ?? ''))),
    );
    expect(callers.map((caller) => (caller as { tenantKey: string }).tenantKey)).toEqual(
      times(20, (index) => tenantKeys[index % 2]),
    );
  });

  it('do not change when a tenant is gone: its call fails as Feishu says', async () => {
    const stays = await tokens.getTenantAccessToken({ tenantKey: 'tenant_b' });
    await tokens.getTenantAccessToken({ tenantKey: 'tenant_a' });
    world.emulator.apps.removeTenant(world.app.appId, 'tenant_a');
    await expect(client.im.message.create(MESSAGE, lark.withTenantKey('tenant_a'))).rejects.toMatchObject({
      response: { data: { code: 99991665 } },
    });
    expect(codes(MESSAGES)).toEqual([99991665]);
    expect(await tokens.getTenantAccessToken({ tenantKey: 'tenant_b' })).toBe(stays);
  });
});

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

  it('is not where a redirect leads to, which cannot have a call repeated either', async () => {
    const token = await tokens.getTenantAccessToken();
    const url = `/open-apis/emulator/redirect?to=${encodeURIComponent(`${otherOrigin}/steal`)}`;
    await expect(client.request({ method: 'GET', url })).rejects.toMatchObject({ response: { status: 400 } });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(await tokens.getTenantAccessToken()).toBe(token);
  });

  it('of a request without a token of the module’s is the caller’s business', async () => {
    await expect(client.httpInstance.get(`${otherOrigin}/image`)).rejects.toMatchObject({
      response: { data: { code: INVALID } },
    });
    expect(seen).toHaveLength(1);
  });
});

describe('limits', () => {
  it('a call that is not answered ends, after 10 s unless told otherwise, an upload after 2 minutes', async () => {
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

  it('a call that hangs is ended', async () => {
    await start({ client: { http: { timeout: 100 } } });
    world.emulator.faults.add({ path: MESSAGES, kind: 'hang' });
    await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });

  it('a download that stands still is ended', async () => {
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
