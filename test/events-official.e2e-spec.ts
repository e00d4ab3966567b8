import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import * as lark from '@larksuiteoapi/node-sdk';
import { type FeishuEvent, FeishuEventService, OnFeishuEvent } from '../lib/index.js';
import { FeishuEmulator } from '../lib/testing/index.js';
import { until } from './fixtures/feishu-platform.js';
import { deliver, forged, KEYS, startStoreApp, STORE_APP } from './fixtures/store-app.js';

const PATH = '/official';
const MESSAGE = {
  type: 'im.message.receive_v1',
  tenantKey: 'tenant_a',
  event: { message: { content: '{"text":"你好"}' } },
};
const SILENT = {
  fatal: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  trace: () => undefined,
};

type Handled = Record<string, unknown>;

describe('with the official SDK', () => {
  let emulator: FeishuEmulator;
  let handled: Handled[];
  let dispatcher: lark.EventDispatcher;

  beforeEach(async () => {
    emulator = await FeishuEmulator.start({ apps: [{ ...STORE_APP, tenantKeys: ['tenant_a'] }] });
    handled = [];
    dispatcher = new lark.EventDispatcher({ ...KEYS, logger: SILENT }).register({
      'im.message.receive_v1': (data: unknown) => void handled.push(data as Handled),
      app_status_change: (data: unknown) => void handled.push(data as Handled),
      app_ticket: (data: unknown) => void handled.push(data as Handled),
    });
  });
  afterEach(() => emulator.stop());

  describe('its EventDispatcher', () => {
    let server: Server;
    beforeEach(async () => {
      const handle = lark.adaptDefault(PATH, dispatcher, { autoChallenge: true });
      server = createServer((request, response) => void handle(request, response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}${PATH}`;
      emulator.events.subscribe({ appId: STORE_APP.appId, url, ...KEYS });
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('answers the challenge of the emulator', async () => {
      expect(await emulator.events.verifyUrl(STORE_APP.appId)).toBe(true);
    });

    it.each(['1.0', '2.0'] as const)(
      'accepts an event that the emulator signed and encrypted, schema %s',
      async (schema) => {
        const { attempts } = await emulator.events.push(STORE_APP.appId, { ...MESSAGE, schema });
        expect(attempts).toEqual([200]);
        expect(handled).toEqual([expect.objectContaining({ ...MESSAGE.event, tenant_key: 'tenant_a' })]);
      },
    );

    it('accepts a ticket and a change of a tenant', async () => {
      const ticket = emulator.tickets.push(STORE_APP.appId);
      await emulator.events.settled();
      await emulator.tenants.stop(STORE_APP.appId, 'tenant_a');
      expect(handled).toEqual([
        expect.objectContaining({ app_id: STORE_APP.appId, app_ticket: ticket }),
        expect.objectContaining({ tenant_key: 'tenant_a', status: 'stop_by_tenant' }),
      ]);
    });

    it('refuses another signature', async () => {
      const { request } = await emulator.events.push(STORE_APP.appId, MESSAGE);
      expect(handled).toHaveLength(1);
      await emulator.events.send(
        STORE_APP.appId,
        forged(request, { headers: { 'x-lark-signature': 'f'.repeat(64) } }),
      );
      expect(handled).toHaveLength(1);
    });
  });

  describe('our endpoint', () => {
    @Injectable()
    class Forwarder {
      readonly seen: FeishuEvent[] = [];

      /** As docs/store-apps.md has it. */
      @OnFeishuEvent('*')
      forward(event: FeishuEvent): Promise<unknown> {
        this.seen.push(event);
        return dispatcher.invoke(event.payload, { needCheck: false });
      }
    }

    it("decrypts the same event as the SDK's AESCipher", async () => {
      const { app, url } = await startStoreApp({ emulator, providers: [Forwarder] });
      const { request } = await emulator.events.push(STORE_APP.appId, MESSAGE);
      const { encrypt } = JSON.parse(request.body) as { encrypt: string };
      const read = JSON.parse(new lark.AESCipher(KEYS.encryptKey).decrypt(encrypt)) as {
        header: { event_id: string };
        event: unknown;
      };
      const { seen } = app.get(Forwarder);
      await until(() => seen.some(({ eventType }) => eventType === MESSAGE.type));
      const ours = seen.find(({ eventType }) => eventType === MESSAGE.type);
      expect(ours?.event).toEqual(read.event);
      expect(ours?.eventId).toBe(read.header.event_id);
      expect((await deliver(url, request)).status).toBe(403); // accepted before
      await app.close();
    });

    it('forwards events to the EventDispatcher of the SDK', async () => {
      const { app } = await startStoreApp({ emulator, providers: [Forwarder] });
      for (const schema of ['1.0', '2.0'] as const) {
        await emulator.events.push(STORE_APP.appId, { ...MESSAGE, schema });
      }
      const messages = (): Handled[] => handled.filter((data) => 'message' in data);
      await until(() => messages().length === 2);
      for (const message of messages()) {
        expect(message).toMatchObject({ ...MESSAGE.event, tenant_key: 'tenant_a' });
      }
      await app.close();
    });

    it('can be replaced by an endpoint of the application: receive() verifies and decides on the reply', async () => {
      const { app } = await startStoreApp({ emulator, providers: [Forwarder], subscribes: false });
      const events = app.get(FeishuEventService);
      const replies: number[] = [];
      const server = createServer((message, response) => {
        void (async () => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of message) chunks.push(chunk as Uint8Array);
          const { status, body } = await events.receive(message.headers, Buffer.concat(chunks));
          replies.push(status);
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        })();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      emulator.events.subscribe({ appId: STORE_APP.appId, url, ...KEYS });
      expect(await emulator.events.verifyUrl(STORE_APP.appId)).toBe(true);
      const { request } = await emulator.events.push(STORE_APP.appId, MESSAGE);
      await until(() => handled.some((data) => 'message' in data));
      expect(await emulator.events.send(STORE_APP.appId, request)).toBe(403);
      expect(new Set(replies)).toEqual(new Set([200, 403]));
      server.closeAllConnections();
      server.close();
      await app.close();
    });
  });
});
