import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Client, EventDispatcher } from '@larksuiteoapi/node-sdk';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import {
  AppTicketService,
  FeishuAuthModule,
  getFeishuServiceToken,
  isFeishuAuthError,
} from '../lib/index.js';
import { ownerOf } from '../lib/token.service.js';
import {
  createLarkClient,
  FeishuLarkModule,
  getLarkClientToken,
  InjectLarkClient,
  larkCache,
  larkHttpInstance,
} from '../lib/lark-sdk/index.js';
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

describe('side by side with the plain SDK', () => {
  beforeEach(async () => {
    world = await LarkWorld.start();
  });

  it('200 cold callers: 200 requests for a token there, 1 here', async () => {
    const plain = world.plainClient();
    const { client } = await world.client();

    expect(await failuresOf(times(200, () => plain.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(200);

    expect(await failuresOf(times(200, () => client.im.message.create(MESSAGE)))).toBe(0);
    expect(world.grants()).toBe(1);
  });

  it.each([400, 200] as const)(
    '20 calls after a revocation, refused by HTTP %i: all fail there, none here',
    async (tokenErrorStatus) => {
      await world.stop();
      world = await LarkWorld.start({}, { tokenErrorStatus });
      const plain = world.plainClient();
      const { client, tokens } = await world.client();
      await plain.im.message.create(MESSAGE);
      // Within two hours the platform hands out one token to both.
      const token = await tokens.getTenantAccessToken();
      world.emulator.revoke(token);
      world.grants();

      expect(await failuresOf(times(20, () => plain.im.message.create(MESSAGE)))).toBe(20);
      expect(world.grants()).toBe(0);

      expect(await failuresOf(times(20, () => client.im.message.create(MESSAGE)))).toBe(0);
      expect(world.grants()).toBe(1);
    },
  );

  it('5 calls with a wrong secret: 5 requests for a token there, 1 here, and an error that says which', async () => {
    const plain = world.plainClient({ appSecret: 'wrong' });
    const tokens = await world.tokens({ appSecret: 'wrong' });
    const client = createLarkClient(tokens, { logger: new RecordingLogger() });

    for (let call = 0; call < 5; call++) {
      const error: unknown = await plain.im.message.create(MESSAGE).catch((reason: unknown) => reason);
      // Of a wrong secret its error says nothing that code could go by.
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

  it('the same app id on two domains: its one token goes to both there, each has its own here', async () => {
    const other = await LarkWorld.start({ appId: world.app.appId });
    try {
      // As without a cache of their own: then all clients share one.
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

  it('never asks for a token by itself, and never has the secret', async () => {
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

  it('calls on behalf of each tenant, with the ticket that the SDK’s own dispatcher was given', async () => {
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
    // One ticket was asked for, one app token, and one token for each tenant.
    expect(world.emulator.requestsTo(/app_ticket\/resend$/)).toHaveLength(1);
    expect(world.grants()).toBe(1 + TENANTS.length);
    for (const tenantKey of TENANTS) {
      expect(await callerOf(client, lark.withTenantKey(tenantKey))).toMatchObject({ appId, tenantKey });
    }
  });

  it('making a client asks for no ticket, whether or not there is one', async () => {
    await world.client();
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.emulator.requests).toEqual([]);
  });

  it('refuses a call that names no tenant, instead of sending it without a token', async () => {
    const { client } = await world.client();
    await expect(client.im.message.create(MESSAGE)).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
    });
    expect(world.emulator.requests).toEqual([]);
  });

  it('leaves the tickets of other apps to the rest of the cache', async () => {
    const tokens = await world.tokens();
    const cache = larkCache(tokens);
    await cache.set(lark.CAppTicket, 'ticket-of-another', undefined, { namespace: 'cli_another' });
    expect(await cache.get(lark.CAppTicket, { namespace: 'cli_another' })).toBe('ticket-of-another');
    expect(await ownerOf(tokens).tickets.current()).toBeUndefined();
  });
});

describe('a token that the caller gives', () => {
  const other = { appId: 'cli_other', appSecret: 'other-secret' };
  let others: string;

  beforeEach(async () => {
    world = await LarkWorld.start();
    world.emulator.apps.add(other);
    const tokens = await world.tokens(other);
    others = await tokens.getTenantAccessToken();
    world.emulator.requests.length = 0;
  });

  it('wins with withTenantToken(), although the plain SDK sends its own', async () => {
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

  it('wins with withUserAccessToken(), and in a header of the request', async () => {
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

  it('is not written into the options, which can be used again', async () => {
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
  ])('is neither replaced nor sent again when it is refused: %s', async (_name, withToken) => {
    const { client, tokens } = await world.client();
    const own = await tokens.getTenantAccessToken();
    world.emulator.revoke(others);
    world.emulator.revoke(own);
    world.emulator.requests.length = 0;

    // Not even one of the module's, which the caller has fetched by itself.
    for (const token of ['u-a-users-token', 't-from-somewhere', others, own]) {
      await expect(client.im.message.create(MESSAGE, withToken(token))).rejects.toMatchObject({
        response: { status: 400 },
      });
    }
    expect(world.emulator.requests.map(({ path }) => path)).toEqual(times(4, () => MESSAGES));
    expect(await tokens.getTenantAccessToken()).toBe(own);
  });
});

describe('createLarkClient', () => {
  beforeEach(async () => {
    world = await LarkWorld.start();
  });

  it.each([
    ['appId', { appId: 'cli_another' }],
    ['appType', { appType: lark.AppType.ISV }],
    ['domain', { domain: lark.Domain.Feishu }],
    ['domain', { domain: 'not a url' }],
  ])('refuses an %s that is not that of the TokenService', async (option, options) => {
    const tokens = await world.tokens();
    expect(() => createLarkClient(tokens, options)).toThrow(
      expect.objectContaining({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        message: expect.stringContaining(option),
      }),
    );
  });

  it('takes the same app and domain, and the real secret where it is wanted', async () => {
    const { client } = await world.client({
      appId: world.app.appId,
      domain: `${world.emulator.domain.open}/`,
      appType: lark.AppType.SelfBuild,
      appSecret: SECRET,
    });
    expect(client.appSecret).toBe(SECRET);
    await client.im.message.create(MESSAGE);
  });

  it('says what is missing when the SDK needs the secret for something else', async () => {
    const { client } = await world.client();
    // As `client.accessToken` does.
    const grant = { grant_type: 'refresh_token', client_secret: client.appSecret };
    const call = client.httpInstance.post(`${world.emulator.domain.accounts}/oauth/v3/token`, grant);
    await expect(call).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
      message: expect.stringContaining('appSecret'),
    });
    expect(world.emulator.requests).toEqual([]);
  });

  it('keeps the rest in a cache of the caller’s, its keys untouched', async () => {
    const cache = new MapCache();
    const { client } = await world.client({ cache });
    await client.im.message.create(MESSAGE);
    expect(cache.values.size).toBe(0);

    await client.userAccessToken.update({ somebody: { token: 'u-1', expiredTime: Date.now() + 60_000 } });
    expect(await client.userAccessToken.get('somebody')).toBe('u-1');
    expect([...cache.values.keys()]).toEqual([`${world.app.appId}/Symbol(user-access-token)/somebody`]);
  });

  it('keeps user tokens in memory otherwise', async () => {
    const { client } = await world.client();
    await client.userAccessToken.update({ somebody: { token: 'u-1', expiredTime: Date.now() + 60_000 } });
    expect(await client.userAccessToken.get('somebody')).toBe('u-1');
  });

  it('refuses its cache to a client of another app', async () => {
    const tokens = await world.tokens();
    const stranger = world.plainClient({ appId: 'cli_stranger', cache: larkCache(tokens) });
    await expect(stranger.im.message.create(MESSAGE)).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
      message: expect.stringContaining(world.app.appId),
    });
  });

  it('serves a LarkChannel: its calls, its dispatcher and the marks of what it has seen', async () => {
    // Older versions have none.
    if (!('createLarkChannel' in lark)) return;
    const tokens = await world.tokens();
    const channel = lark.createLarkChannel({
      appId: world.app.appId,
      appSecret: 'not-needed',
      domain: ownerOf(tokens).openOrigin,
      transport: 'webhook',
      cache: larkCache(tokens),
      httpInstance: larkHttpInstance(tokens),
      logger: new RecordingLogger(),
    });
    await channel.connect();
    world.emulator.revoke(await tokens.getTenantAccessToken());
    await channel.send('oc_1', { text: 'hello' });
    expect(world.emulator.requestsTo(MESSAGES).map(({ code }) => code)).toEqual([99991663, 0]);
    expect(world.emulator.requestsTo(/tenant_access_token/)).toHaveLength(2);
    await channel.disconnect();
  });
});

describe('FeishuLarkModule', () => {
  @Injectable()
  class Bot {
    constructor(
      readonly client: Client,
      @InjectLarkClient('second') readonly second: Client,
    ) {}
  }

  @Controller()
  class BotController {
    constructor(readonly bot: Bot) {}

    @Get()
    caller(): Promise<unknown> {
      return callerOf(this.bot.client);
    }
  }

  const SECOND = { appId: 'cli_second', appSecret: 'second-secret' };

  beforeEach(async () => {
    world = await LarkWorld.start();
    world.emulator.apps.add(SECOND);
  });

  it('makes the client of each instance injectable', async () => {
    @Module({
      imports: [FeishuLarkModule.forFeature(), FeishuLarkModule.forFeature({ name: 'second' })],
      providers: [Bot],
      controllers: [BotController],
    })
    class BotModule {}

    const domain = world.emulator.domain;
    const app = await Test.createTestingModule({
      imports: [
        FeishuAuthModule.forRoot({ appId: world.app.appId, appSecret: SECRET, domain }),
        FeishuAuthModule.forRoot({ ...SECOND, domain, name: 'second' }),
        BotModule,
      ],
    }).compile();
    app.useLogger(false);
    await app.init();
    try {
      const bot = app.get(Bot);
      expect(await app.get(BotController).caller()).toMatchObject({ appId: world.app.appId });
      expect(await callerOf(bot.second)).toMatchObject({ appId: SECOND.appId });
      expect(app.get(Client)).toBe(bot.client);
      expect(app.get(getLarkClientToken('second'))).toBe(bot.second);
      expect(getLarkClientToken()).toBe(getFeishuServiceToken(Client));
    } finally {
      await app.close();
    }
  });

  it('works beside a module that is not global, and passes options on', async () => {
    const auth = FeishuAuthModule.forRoot({
      appId: world.app.appId,
      appSecret: SECRET,
      domain: world.emulator.domain,
      isGlobal: false,
    });
    const app = await Test.createTestingModule({
      imports: [auth, FeishuLarkModule.forFeature({ imports: [auth], client: { helpDeskId: 'desk' } })],
    }).compile();
    app.useLogger(false);
    await app.init();
    try {
      const client = app.get(Client);
      expect(client.helpDeskId).toBe('desk');
      expect(await callerOf(client)).toMatchObject({ appId: world.app.appId });
      expect(app.get(AppTicketService)).toBeDefined();
    } finally {
      await app.close();
    }
  });
});
