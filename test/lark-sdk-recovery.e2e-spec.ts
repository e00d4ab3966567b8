import { createReadStream } from 'node:fs';
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

/** Revokes the client's token and clears the request log. */
async function revoke(): Promise<string> {
  const token = await tokens.getTenantAccessToken();
  world.emulator.revoke(token);
  world.emulator.requests.length = 0;
  return token;
}

/** Returns the codes of all answers of this API. */
function codes(path: string | RegExp): number[] {
  return world.emulator.requestsTo(path).map(({ code }) => code);
}

afterEach(() => world.stop());

describe.each([400, 200] as const)('a token that is refused by HTTP %i', (tokenErrorStatus) => {
  beforeEach(() => start({ tokenErrorStatus }));

  it('is replaced once, and each call is sent once more', async () => {
    await revoke();
    expect(await failuresOf(times(20, () => client.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(1);
  });

  it('is replaced for a download, whose body is complete', async () => {
    await revoke();
    const file = await client.im.file.get({
      path: { file_key: 'file_v3_1' },
      params: { size: 100_000 },
    } as never);
    expect((await buffer(file.getReadableStream())).length).toBe(100_000);
    expect(file.headers).toHaveProperty('content-disposition');
    expect(codes(/im\/v1\/files/)).toEqual([INVALID, 0]);
  });

  it('is replaced for an upload from memory', async () => {
    await revoke();
    const uploaded = await client.im.file.create({ data: { ...UPLOAD, file: Buffer.from('some text') } });
    expect(uploaded?.file_key).toMatch(/^file_v3_/);
    expect(codes(FILES)).toEqual([INVALID, 0]);

    const file = await client.im.file.get({ path: { file_key: uploaded?.file_key ?? '' } });
    expect(await text(file.getReadableStream())).toBe('some text');
  });

  it('fails the upload of a consumed stream; the next upload succeeds', async () => {
    await revoke();
    const file = (): Promise<unknown> =>
      client.im.file.create({ data: { ...UPLOAD, file: createReadStream(THIS_FILE) } });

    // With HTTP 200 the SDK treats the rejection as an answer without data.
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

  it('that Feishu grants again is tried once more, and then not for a while', async () => {
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

  it('sends the same call after the caller changes its data', async () => {
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

  it('sends the body of the caller’s transformRequest, which runs once', async () => {
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

  it('happens once, and its answer is returned', async () => {
    await revoke();
    world.emulator.faults.add({ path: MESSAGES, code: INVALID, status: 400 });
    expect(await failuresOf([client.im.message.create(MESSAGE)])).toBe(1);
    expect(codes(MESSAGES)).toEqual([INVALID, INVALID]);
  });

  it('does not happen without another token; the API’s answer is returned', async () => {
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

  it('does not happen after the caller aborts', async () => {
    await revoke();
    const controller = new AbortController();
    world.emulator.faults.add({ path: '/open-apis/auth/', latencyMs: 60_000 });
    const call = client.request({ method: 'POST', url: ECHO, data: {}, signal: controller.signal });
    while (codes(/tenant_access_token/).length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    expect(codes(ECHO)).toEqual([INVALID]);
  });

  it('also happens for raw answers', async () => {
    await revoke();
    const call = (responseType: 'arraybuffer' | 'text'): Promise<unknown> =>
      client.request({ method: 'GET', url: ECHO, responseType });
    expect(JSON.parse(String(await call('arraybuffer')))).toHaveProperty('code', 0);
    await revoke();
    expect(JSON.parse(String(await call('text')))).toHaveProperty('code', 0);
  });

  it('does not happen for a token that larkCache() did not return', async () => {
    const token = await revoke();
    const http = larkHttpInstance(tokens);
    const ask = (bearer: string): Promise<unknown> =>
      http.get(`${world.emulator.domain.open}${ECHO}`, { headers: { authorization: `Bearer ${bearer}` } });
    // The SDK did not receive this token, so it belongs to the caller.
    await expect(ask(token)).rejects.toMatchObject({ response: { status: 400 } });
    expect(codes(ECHO)).toEqual([INVALID]);
  });
});

describe('downloads', () => {
  beforeEach(() => start());

  const json = JSON.stringify({ code: INVALID, msg: 'the content of a file', padding: 'x'.repeat(1_000) });

  it('of a file that looks like an error return the file', async () => {
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
  ])('of other JSON return the complete body: %s', async (_what, body) => {
    world.emulator.faults.add({ path: FILES, body, headers: { 'content-type': 'application/json' } });
    const file = await client.im.file.get({ path: { file_key: 'a' } });
    expect(await text(file.getReadableStream())).toBe(body);
    expect(codes(/files/)).toHaveLength(1);
  });

  it('that fail for another reason have an error with a readable body', async () => {
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

  it('that are large pass through and can be cancelled', async () => {
    const size = 8 * 1024 * 1024;
    const file = await client.im.file.get({ path: { file_key: 'a' }, params: { size } } as never);
    const stream = file.getReadableStream();
    await once(stream, 'readable');
    stream.destroy();
    expect(stream.destroyed).toBe(true);
    // The client still works.
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

  it('are kept: each tenant gets its own new token', async () => {
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

  it('do not change after a tenant removes the app: its call fails with Feishu’s answer', async () => {
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
