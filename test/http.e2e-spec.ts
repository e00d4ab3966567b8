import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { jest } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { FeishuAuthModule } from '../lib/feishu-auth.module.js';
import { type FeishuAuthModuleOptions } from '../lib/feishu-auth.options.js';
import { FeishuHttpService } from '../lib/http/feishu-http.service.js';
import { type FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { type FeishuEmulatorOptions } from '../lib/testing/feishu-emulator.options.js';
import { AppTicketService } from '../lib/ticket/app-ticket.service.js';
import { TokenService } from '../lib/token.service.js';
import { collectGarbage } from './fixtures/collect-garbage.js';
import {
  ECHO,
  Gate,
  SELF_BUILT,
  startPlatform,
  STORE,
  TENANT_GRANT,
  until,
} from './fixtures/feishu-platform.js';

const BOT_INFO = '/open-apis/bot/v3/info';
const FILES = '/open-apis/im/v1/files';
const NO_TENANT_TOKEN = '/open-apis/emulator/no-tenant-token';

interface Echo {
  identity: { kind: string; tenantKey?: string };
  method: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

let emulator: FeishuEmulator;
let app: INestApplicationContext;
let feishu: FeishuHttpService;
let tokens: TokenService;

async function start(
  options: Partial<FeishuAuthModuleOptions> = {},
  emulatorOptions: FeishuEmulatorOptions = {},
): Promise<void> {
  emulator = await startPlatform(emulatorOptions);
  const module = FeishuAuthModule.forRoot({
    ...SELF_BUILT,
    domain: emulator.domain,
    prewarm: false,
    ...options,
  });
  app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  feishu = app.get(FeishuHttpService);
  tokens = app.get(TokenService);
}

afterEach(async () => {
  await app.close();
  await emulator.stop();
});

async function echoed(response: Response): Promise<Echo> {
  return ((await response.json()) as { data: Echo }).data;
}

const codesOf = (path: string): number[] => emulator.requestsTo(path).map(({ code }) => code);
const grants = (): number => emulator.requestsTo(TENANT_GRANT).length;

/** A fetch that holds the answers of API calls back until the test releases them one by one. */
function holdingAnswers(paths: RegExp) {
  const gates: Gate[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    if (!paths.test(input as string)) return response;
    const gate = new Gate();
    gates.push(gate);
    await gate.opened;
    return response;
  };
  return { fetch, gates };
}

describe('FeishuHttpService', () => {
  it('calls an API several times with one token', async () => {
    await start();
    const response = await feishu.fetch('/open-apis/im/v1/messages?receive_id_type=chat_id', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ receive_id: 'oc_1', msg_type: 'text', content: '{"text":"hello"}' }),
    });
    expect(response.url).toBe(`${emulator.domain.open}/open-apis/im/v1/messages?receive_id_type=chat_id`);
    expect(response.headers.get('x-tt-logid')).toBeTruthy();
    expect(await response.json()).toMatchObject({ code: 0, data: { chat_id: 'oc_1' } });
    await feishu.fetch(new URL(BOT_INFO, emulator.domain.open));
    expect(grants()).toBe(1);
  });

  it('calls as each tenant of a store app', async () => {
    await start({ appId: STORE.appId, appSecret: STORE.appSecret, appType: 'store' });
    await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
    const calls = Array.from({ length: 40 }, async (_, index) => {
      const tenantKey = STORE.tenantKeys[index % 2] as string;
      const { identity } = await echoed(await feishu.fetch(ECHO, { as: { kind: 'tenant', tenantKey } }));
      expect(identity).toMatchObject({ kind: 'tenant', tenantKey });
    });
    await Promise.all(calls);
    const { identity } = await echoed(await feishu.fetch(ECHO, { as: { kind: 'app' } }));
    expect(identity.kind).toBe('app');
    await expect(feishu.fetch(ECHO)).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
  });

  describe.each([400, 200] as const)('a dead token, refused with HTTP %i', (tokenErrorStatus) => {
    it('#30 #31 20 calls that are refused at different times cause one renewal and one replay each', async () => {
      const { fetch, gates } = holdingAnswers(/echo/);
      await start({ fetch }, { tokenErrorStatus });
      emulator.revoke(await tokens.getTenantAccessToken());

      const calls = Array.from({ length: 20 }, async (_, index) =>
        echoed(await feishu.fetch(`${ECHO}?call=${index}`, { method: 'POST', body: `body ${index}` })),
      );
      await until(() => gates.length === 20);
      for (const gate of gates.slice(0, 10)) gate.open();
      await until(() => gates.length === 30);
      for (const gate of gates.slice(20)) gate.open();
      const early = await Promise.all(calls.slice(0, 10));
      // The second half is refused now, when a newer token is already held.
      for (const gate of gates.slice(10, 20)) gate.open();
      await until(() => gates.length === 40);
      for (const gate of gates.slice(30)) gate.open();
      const late = await Promise.all(calls.slice(10));

      expect([...early, ...late].map(({ body }) => body)).toEqual(
        Array.from({ length: 20 }, (_, index) => `body ${index}`),
      );
      expect(grants()).toBe(2);
      expect(codesOf(ECHO).filter((code) => code === 99991663)).toHaveLength(20);
      expect(codesOf(ECHO).filter((code) => code === 0)).toHaveLength(20);
      expect(tokens.metrics().kinds.tenant.invalidations).toBe(1);
    });

    it("#32 if Feishu grants the same token there is no loop, and the API's answer is returned", async () => {
      await start({}, { tokenErrorStatus });
      for (let call = 1; call <= 3; call++) {
        const response = await feishu.fetch(NO_TENANT_TOKEN);
        expect(response.status).toBe(tokenErrorStatus);
        expect(await response.json()).toMatchObject({ code: 99991663 });
        // Only the first call is replayed; afterwards the token counts as confirmed.
        expect(codesOf(NO_TENANT_TOKEN)).toHaveLength(call + 1);
      }
      // The first renewal and the one that confirmed the token, which all callers still get.
      expect(grants()).toBe(2);
      expect((await feishu.fetch(BOT_INFO)).status).toBe(200);
      expect(grants()).toBe(2);
    });

    it('#34 a stream is sent once, and the next call has a new token', async () => {
      await start({}, { tokenErrorStatus });
      emulator.revoke(await tokens.getTenantAccessToken());
      const body = new Blob(['bytes']).stream();
      const response = await feishu.fetch(FILES, { method: 'POST', body, duplex: 'half' });
      expect(await response.json()).toMatchObject({ code: 99991663 });
      const again = await feishu.fetch(FILES, { method: 'POST', body: Buffer.from('bytes') });
      expect(await again.json()).toMatchObject({ code: 0 });
      expect(codesOf(FILES)).toEqual([99991663, 0]);
    });
  });

  it('a form is replayed completely', async () => {
    await start();
    emulator.revoke(await tokens.getTenantAccessToken());
    const form = new FormData();
    form.set('file', new Blob(['x'.repeat(100_000)]), 'a.bin');
    const response = await feishu.fetch(ECHO, { method: 'POST', body: form });
    const { body, headers } = await echoed(response);
    expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(body).toContain('x'.repeat(100_000));
    expect(codesOf(ECHO)).toEqual([99991663, 0]);
  });

  it('a refused app token is replaced by an app token', async () => {
    await start();
    emulator.revoke(await tokens.getAppAccessToken());
    const { identity } = await echoed(
      await feishu.fetch('/open-apis/emulator/app-only', { as: { kind: 'app' } }),
    );
    expect(identity.kind).toBe('app');
    expect(codesOf('/open-apis/emulator/app-only')).toEqual([99991664, 0]);
    expect(grants()).toBe(0);
  });

  it('without another token returns the first answer', async () => {
    await start();
    emulator.revoke(await tokens.getTenantAccessToken());
    emulator.faults.add({ path: TENANT_GRANT, code: 10014 });
    const response = await feishu.fetch(BOT_INFO);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 99991663 });
    expect(codesOf(BOT_INFO)).toHaveLength(1);
  });

  it.each([
    ['scope', { status: 400, code: 99991672 }],
    ['rate limit', { status: 429, code: 99991400 }],
    ['forbidden', { status: 403, body: 'Forbidden' }],
    ['internal error', { status: 500, body: 'oops' }],
  ])('#34 what is not about the token comes back as it is, sent once: %s', async (_what, fault) => {
    await start();
    emulator.faults.add({ path: BOT_INFO, ...fault });
    const response = await feishu.fetch(BOT_INFO);
    expect(response.status).toBe(fault.status);
    expect(response.bodyUsed).toBe(false);
    expect(codesOf(BOT_INFO)).toHaveLength(1);
    expect(grants()).toBe(1);
    expect(tokens.metrics().kinds.tenant.invalidations).toBe(0);
  });

  it("sends the caller's Authorization unchanged", async () => {
    await start();
    const response = await feishu.fetch(BOT_INFO, { headers: { AUTHORIZATION: 'Bearer t-own' } });
    expect(await response.json()).toMatchObject({ code: 99991663 });
    expect(codesOf(BOT_INFO)).toHaveLength(1);
    expect(grants()).toBe(0);
  });

  describe('the token stays on its origin', () => {
    let elsewhere: Server;
    let elsewhereOrigin: string;
    let visitors: IncomingHttpHeaders[];

    beforeEach(async () => {
      visitors = [];
      elsewhere = createServer((request, response) => {
        visitors.push(request.headers);
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"code":99991663}');
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
      elsewhereOrigin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    });
    afterEach(() => new Promise((resolve) => elsewhere.close(resolve)));

    const redirect = (to: string, status: number): string =>
      `/open-apis/emulator/redirect?status=${status}&to=${encodeURIComponent(to)}`;

    it('no other origin is called', async () => {
      await start();
      for (const target of [`${elsewhereOrigin}/x`, `//${new URL(elsewhereOrigin).host}/x`]) {
        await expect(feishu.fetch(target)).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
      }
      expect(visitors).toHaveLength(0);
      expect(emulator.requests).toHaveLength(0);
    });

    it.each([301, 302, 303, 307, 308])('no redirect takes it there: %i', async (status) => {
      await start();
      const response = await feishu.fetch(redirect(`${elsewhereOrigin}/x`, status), {
        headers: { cookie: 'session=1', 'x-own': '1' },
      });
      expect(response.url).toBe(`${elsewhereOrigin}/x`);
      expect(visitors).toHaveLength(1);
      expect(visitors[0]).not.toHaveProperty('authorization');
      expect(visitors[0]).not.toHaveProperty('cookie');
      expect(visitors[0]).toHaveProperty('x-own', '1');
      // The other origin did not receive the token, so its rejection does not count.
      expect(tokens.metrics().kinds.tenant.invalidations).toBe(0);
    });

    it("no redirect takes the caller's Authorization there", async () => {
      await start();
      await feishu.fetch(redirect(`${elsewhereOrigin}/x`, 307), {
        headers: { authorization: 'Bearer u-own' },
      });
      expect(visitors).toHaveLength(1);
      expect(visitors[0]).not.toHaveProperty('authorization');
    });

    it.each([
      [302, 'GET', ''],
      [307, 'POST', 'text'],
    ])('a redirect within the origin keeps it: %i to %s', async (status, method, body) => {
      await start();
      const response = await feishu.fetch(redirect(ECHO, status), { method: 'POST', body: 'text' });
      expect(await echoed(response)).toMatchObject({ identity: { kind: 'tenant' }, method, body });
    });

    it("the caller's redirect mode is used", async () => {
      await start();
      expect((await feishu.fetch(redirect(ECHO, 302), { redirect: 'manual' })).status).toBe(302);
      await expect(feishu.fetch(redirect(ECHO, 302), { redirect: 'error' })).rejects.toMatchObject({
        name: 'TypeError',
      });
      expect(codesOf(ECHO)).toHaveLength(0);
    });
  });

  describe('large and slow answers', () => {
    it('a download of 100 MB passes through without being held in memory', async () => {
      await start();
      const clone = jest.spyOn(Response.prototype, 'clone');
      try {
        const size = 100 * 1024 * 1024;
        const response = await feishu.fetch(`${FILES}/key?size=${size}`);
        expect(clone).not.toHaveBeenCalled();
        let received = 0;
        let peak = 0;
        let measureAt = size / 4;
        const before = process.memoryUsage().arrayBuffers;
        for await (const chunk of response.body as ReadableStream<Uint8Array>) {
          received += chunk.byteLength;
          if (received < measureAt) continue;
          measureAt += size / 4;
          collectGarbage();
          peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        }
        expect(received).toBe(size);
        expect(peak).toBeLessThan(size / 2);
      } finally {
        clone.mockRestore();
      }
    }, 60_000);

    it('an endless JSON answer is read only as far as its reader reads', async () => {
      const chunk = new TextEncoder().encode(`"${'x'.repeat(16 * 1024)}",`);
      let pulled = 0;
      const endless = (): ReadableStream<Uint8Array> =>
        new ReadableStream(
          {
            start: (controller) => controller.enqueue(new TextEncoder().encode('{"code":0,"data":[')),
            pull(controller) {
              pulled++;
              controller.enqueue(chunk);
            },
          },
          { highWaterMark: 0 },
        );
      await start({
        fetch: async (input, init) =>
          (input as string).includes('/endless')
            ? new Response(endless(), { headers: { 'content-type': 'application/json' } })
            : globalThis.fetch(input, init),
      });
      const response = await feishu.fetch('/open-apis/endless');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (let read = 0; read < 100; read++) await reader.read();
      expect(pulled).toBeGreaterThanOrEqual(99);
      expect(pulled).toBeLessThan(110);
      await reader.cancel();
    });

    it('a slow JSON answer is returned before its end', async () => {
      await start();
      const controller = new AbortController();
      const response = await feishu.fetch('/open-apis/emulator/slow?chunks=1000&intervalMs=600000', {
        signal: controller.signal,
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const { value } = await reader.read();
      expect(new TextDecoder().decode(value)).toMatch(/^\{"code":0/);
      controller.abort();
      await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  describe('a caller that aborts', () => {
    it('stops waiting for the token, and other callers still get it', async () => {
      await start();
      emulator.faults.add({ path: TENANT_GRANT, latencyMs: 50, times: 1 });
      const controller = new AbortController();
      const reason = new Error('gave up');
      const given = feishu.fetch(ECHO, { signal: controller.signal });
      const patient = feishu.fetch(ECHO);
      await until(() => grants() === 1);
      controller.abort(reason);
      await expect(given).rejects.toBe(reason);
      expect((await patient).status).toBe(200);
      expect(codesOf(ECHO)).toHaveLength(1);
    });

    it('stops waiting for the answer', async () => {
      await start();
      emulator.faults.add({ path: ECHO, kind: 'hang' });
      const controller = new AbortController();
      const given = feishu.fetch(ECHO, { signal: controller.signal });
      await until(() => emulator.requestsTo(ECHO).length === 1);
      controller.abort();
      await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('without a token it rejects and calls no API', async () => {
    await start({ appSecret: 'wrong' });
    await expect(feishu.fetch(BOT_INFO)).rejects.toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED' });
    expect(codesOf(BOT_INFO)).toHaveLength(0);
  });
});
