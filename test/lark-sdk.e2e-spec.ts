import { EventDispatcher } from '@larksuiteoapi/node-sdk';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import { isFeishuAuthError } from '../lib/index.js';
import { createLarkClient, larkCache } from '../lib/lark-sdk/index.js';
import { ownerOf } from '../lib/token.service.js';
import { type EmulatedTicket } from '../lib/testing/index.js';
import {
  callerOf,
  failuresOf,
  LarkWorld,
  MapCache,
  MESSAGE,
  MESSAGES,
  RecordingLogger,
  SECRET,
  times,
} from './fixtures/lark-world.js';

jest.setTimeout(30_000);

const TENANTS = ['tenant_a', 'tenant_b'];
let world: LarkWorld;

afterEach(() => world.stop());

describe('compared with the plain SDK', () => {
  beforeEach(async () => {
    world = await LarkWorld.start();
  });

  it('200 cold callers: 200 token requests with the plain SDK, 1 with the module', async () => {
    const plain = world.plainClient();
    const { client } = await world.client();

    expect(await failuresOf(times(200, () => plain.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(200);

    expect(await failuresOf(times(200, () => client.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(1);
  });

  it.each([400, 200] as const)(
    '20 calls after a revocation, refused by HTTP %i: all fail with the plain SDK, none with the module',
    async (tokenErrorStatus) => {
      await world.stop();
      world = await LarkWorld.start({}, { tokenErrorStatus });
      const plain = world.plainClient();
      const { client, tokens } = await world.client();
      await plain.im.message.create(MESSAGE);
      // Feishu grants the same token to both clients.
      const token = await tokens.getTenantAccessToken();
      world.emulator.revoke(token);
      world.grants();

      expect(await failuresOf(times(20, () => plain.im.message.create(MESSAGE)))).toBe(20);
      expect(world.grants()).toBe(0);

      expect(await failuresOf(times(20, () => client.im.message.create(MESSAGE)))).toBe(0);
      expect(world.grants()).toBe(1);
    },
  );

  it('5 calls with a wrong secret: 5 token requests with the plain SDK; 1 and a typed error with the module', async () => {
    const plain = world.plainClient({ appSecret: 'wrong' });
    const tokens = await world.tokens({ appSecret: 'wrong' });
    const client = createLarkClient(tokens, { logger: new RecordingLogger() });

    for (let call = 0; call < 5; call++) {
      const error: unknown = await plain.im.message.create(MESSAGE).catch((reason: unknown) => reason);
      // The plain SDK's error has no code for a wrong secret.
      expect(isFeishuAuthError(error)).toBe(false);
    }
    expect(world.grants()).toBe(5);

    for (let call = 0; call < 5; call++) {
      await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({
        name: 'FeishuAuthError',
        code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
        feishuCode: 10014,
      });
    }
    expect(world.grants()).toBe(1);
  });

  it('the same app ID on two domains: one token for both with the plain SDK, two with the module', async () => {
    const other = await LarkWorld.start({ appId: world.app.appId });
    try {
      // The SDK's default: all clients share one cache.
      const shared = new MapCache();
      const plain = [world, other].map((it) => it.plainClient({ cache: shared }));
      expect(await failuresOf([plain[0]!.im.message.create(MESSAGE)])).toBe(0);
      expect(await failuresOf([plain[1]!.im.message.create(MESSAGE)])).toBe(1);

      for (const it of [world, other]) {
        const { client } = await it.client();
        expect(await failuresOf([client.im.message.create(MESSAGE)])).toBe(0);
      }
    } finally {
      await other.stop();
    }
  });

  it('the client requests no token and does not have the secret', async () => {
    const { client } = await world.client();
    await client.im.message.create(MESSAGE);
    expect(world.emulator.requests.map(({ path }) => path)).toEqual([
      '/open-apis/auth/v3/tenant_access_token/internal',
      MESSAGES,
    ]);
    expect(client.appSecret).not.toContain(SECRET);
    await expect(client.tokenManager.getTenantAccessToken()).resolves.toMatch(/^t-/);
  });
});

describe('a store app', () => {
  beforeEach(async () => {
    world = await LarkWorld.start({ appType: 'store', tenantKeys: TENANTS });
  });

  it('calls as each tenant with the ticket that the SDK’s dispatcher received', async () => {
    const pushed = new Promise<EmulatedTicket>((resolve) => world.emulator.tickets.on(resolve));
    const tokens = await world.tokens();
    const client = createLarkClient(tokens, { logger: new RecordingLogger() });
    const dispatcher = new EventDispatcher({ cache: larkCache(tokens), logger: new RecordingLogger() });
    const cold = TENANTS.flatMap((tenantKey) =>
      times(20, () => client.im.message.create(MESSAGE, lark.withTenantKey(tenantKey))),
    );
    const { appId, appTicket } = await pushed;
    await dispatcher.invoke({
      ts: '1502199207.7171419',
      uuid: 'bc447199585340d1f3728d26b1c0297a',
      token: '',
      type: 'event_callback',
      event: { app_id: appId, app_ticket: appTicket, type: 'app_ticket' },
    });

    expect(await failuresOf(cold)).toBe(0);
    // One request for the ticket, one for the app token, and one for each tenant.
    expect(world.emulator.requestsTo(/app_ticket\/resend$/)).toHaveLength(1);
    expect(world.grants()).toBe(1 + TENANTS.length);
    for (const tenantKey of TENANTS) {
      expect(await callerOf(client, lark.withTenantKey(tenantKey))).toMatchObject({ appId, tenantKey });
    }
  });

  it('creating a client requests no ticket', async () => {
    await world.client();
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.emulator.requests).toEqual([]);
  });

  it('refuses a call without a tenant', async () => {
    const { client } = await world.client();
    await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
    });
    expect(world.emulator.requests).toEqual([]);
  });

  it('stores the tickets of other apps in the other cache', async () => {
    const tokens = await world.tokens();
    const cache = larkCache(tokens);
    await cache.set(lark.CAppTicket, 'ticket-of-another', undefined, { namespace: 'cli_another' });
    expect(await cache.get(lark.CAppTicket, { namespace: 'cli_another' })).toBe('ticket-of-another');
    expect(await ownerOf(tokens).tickets.current()).toBeUndefined();
  });
});

describe('a token of the caller', () => {
  const other = { appId: 'cli_other', appSecret: 'other-secret' };
  let others: string;

  beforeEach(async () => {
    world = await LarkWorld.start();
    world.emulator.apps.add(other);
    const tokens = await world.tokens(other);
    others = await tokens.getTenantAccessToken();
    world.emulator.requests.length = 0;
  });

  it('has priority with withTenantToken(); the plain SDK sends its own', async () => {
    const { client } = await world.client();
    expect(await callerOf(world.plainClient(), lark.withTenantToken(others))).toMatchObject({
      appId: world.app.appId,
    });
    world.grants();

    expect(await callerOf(client, lark.withTenantToken(others))).toMatchObject({ appId: other.appId });
    expect(await callerOf(client, lark.withAll([lark.withTenantToken(others)]))).toMatchObject({
      appId: other.appId,
    });
    expect(world.grants()).toBe(0);
  });

  it('has priority with withUserAccessToken() and in a header of the request', async () => {
    const { client } = await world.client();
    expect(await callerOf(client, lark.withUserAccessToken(others))).toMatchObject({ appId: other.appId });
    const answer = await client.request<{ data: { identity: unknown } }>({
      method: 'GET',
      url: '/open-apis/emulator/echo',
      headers: { authorization: `Bearer ${others}` },
    });
    expect(answer.data.identity).toMatchObject({ appId: other.appId });
    expect(world.grants()).toBe(0);
  });

  it('is not written into the options, which can be reused', async () => {
    const { client } = await world.client();
    const shared = { headers: { 'X-Trace': '1' } };
    const before = structuredClone(shared);
    await client.im.message.create(MESSAGE, shared);
    expect(shared).toEqual(before);

    const withOthers = lark.withTenantToken(others);
    await Promise.all(times(3, () => client.im.message.create(MESSAGE, withOthers)));
    expect(withOthers).toEqual(lark.withTenantToken(others));
    await client.im.message.create(MESSAGE, { ...withOthers, ...lark.withUserAccessToken(others) });
    expect(withOthers).toEqual(lark.withTenantToken(others));
  });

  it.each([
    ['withTenantToken()', lark.withTenantToken],
    ['withUserAccessToken()', lark.withUserAccessToken],
  ])('is neither replaced nor sent again if Feishu refuses it: %s', async (_name, withToken) => {
    const { client, tokens } = await world.client();
    const own = await tokens.getTenantAccessToken();
    world.emulator.revoke(others);
    world.emulator.revoke(own);
    world.emulator.requests.length = 0;

    // Also one of the module's tokens that the caller fetched.
    for (const token of ['u-a-users-token', 't-from-somewhere', others, own]) {
      await expect(client.im.message.create(MESSAGE, withToken(token))).rejects.toMatchObject({
        response: { status: 400 },
      });
    }
    expect(world.emulator.requests.map(({ path }) => path)).toEqual(times(4, () => MESSAGES));
    expect(await tokens.getTenantAccessToken()).toBe(own);
  });
});
