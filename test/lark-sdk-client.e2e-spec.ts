import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Client } from '@larksuiteoapi/node-sdk';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import { AppTicketService, FeishuAuthModule, getFeishuServiceToken } from '../lib/index.js';
import { ownerOf } from '../lib/token.service.js';
import {
  createLarkClient,
  FeishuLarkModule,
  getLarkClientToken,
  InjectLarkClient,
  larkCache,
  larkHttpInstance,
} from '../lib/lark-sdk/index.js';
import {
  callerOf,
  LarkWorld,
  MapCache,
  MESSAGE,
  MESSAGES,
  RecordingLogger,
  SECRET,
} from './fixtures/lark-world.js';

jest.setTimeout(30_000);

let world: LarkWorld;

afterEach(() => world.stop());

describe('createLarkClient', () => {
  beforeEach(async () => {
    world = await LarkWorld.start();
  });

  it.each([
    ['appId', { appId: 'cli_another' }],
    ['appType', { appType: lark.AppType.ISV }],
    ['domain', { domain: lark.Domain.Feishu }],
    ['domain', { domain: 'not a url' }],
  ])('refuses an %s that differs from that of the TokenService', async (option, options) => {
    const tokens = await world.tokens();
    expect(() => createLarkClient(tokens, options)).toThrow(
      expect.objectContaining({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        message: expect.stringContaining(option),
      }),
    );
  });

  it('accepts the same app and domain, and the real secret', async () => {
    const { client } = await world.client({
      appId: world.app.appId,
      domain: `${world.emulator.domain.open}/`,
      appType: lark.AppType.SelfBuild,
      appSecret: SECRET,
    });
    expect(client.appSecret).toBe(SECRET);
    await client.im.message.create(MESSAGE);
  });

  it('explains that the SDK needs the secret for another call', async () => {
    const { client } = await world.client();
    // The request of `client.accessToken`.
    const grant = { grant_type: 'refresh_token', client_secret: client.appSecret };
    const call = client.httpInstance.post(`${world.emulator.domain.accounts}/oauth/v3/token`, grant);
    await expect(call).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
      message: expect.stringContaining('appSecret'),
    });
    expect(world.emulator.requests).toEqual([]);
  });

  it('stores other entries in the caller’s cache with unchanged keys', async () => {
    const cache = new MapCache();
    const { client } = await world.client({ cache });
    await client.im.message.create(MESSAGE);
    expect(cache.values.size).toBe(0);

    await client.userAccessToken.update({ somebody: { token: 'u-1', expiredTime: Date.now() + 60_000 } });
    expect(await client.userAccessToken.get('somebody')).toBe('u-1');
    expect([...cache.values.keys()]).toEqual([`${world.app.appId}/Symbol(user-access-token)/somebody`]);
  });

  it('stores user tokens in memory by default', async () => {
    const { client } = await world.client();
    await client.userAccessToken.update({ somebody: { token: 'u-1', expiredTime: Date.now() + 60_000 } });
    expect(await client.userAccessToken.get('somebody')).toBe('u-1');
  });

  it('refuses a client of another app', async () => {
    const tokens = await world.tokens();
    const stranger = world.plainClient({ appId: 'cli_stranger', cache: larkCache(tokens) });
    await expect(stranger.im.message.create(MESSAGE)).rejects.toMatchObject({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
      message: expect.stringContaining(world.app.appId),
    });
  });

  it('serves a LarkChannel: calls, dispatcher and marks of seen messages', async () => {
    // Older versions have no LarkChannel.
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

  it('works with a module that is not global and passes on options', async () => {
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
