import 'reflect-metadata';
import { createKeyv } from '@keyv/redis';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createClient, type RedisClientType } from '@redis/client';
import { createCache } from 'cache-manager';
import {
  type FeishuAuthModuleOptions,
  type FeishuEvent,
  FeishuAuthModule,
  OnFeishuEvent,
  TokenService,
} from '../../lib/index.js';
import { RedisRefreshLock } from '../../lib/redis/index.js';

/** What the test gives, and is told: one process of a store app, with its event endpoint. */
interface Setup extends Pick<FeishuAuthModuleOptions, 'appId' | 'appSecret'> {
  domain: { open: string; accounts: string };
  events: { encryptKey: string };
  redisUrl: string;
}

const setup = JSON.parse(process.argv[2] ?? '') as Setup;
const say = (message: object): void => void process.send?.(message);

const client = createClient({ url: setup.redisUrl }) as RedisClientType;
client.on('error', () => undefined);
await client.connect();

@Injectable()
class Handlers {
  @OnFeishuEvent('im.message.receive_v1')
  onMessage({ eventId }: FeishuEvent): void {
    say({ handled: eventId });
  }
}

const { redisUrl: _redisUrl, ...options } = setup;
@Module({
  imports: [
    FeishuAuthModule.forRoot({
      ...options,
      appType: 'store',
      webhookPath: 'events',
      cache: createCache({ stores: [createKeyv(client)] }),
      lock: new RedisRefreshLock({ client }),
      prewarm: { intervalMs: 500, onBootstrap: 'off' },
    }),
  ],
  providers: [Handlers],
})
class EventProcessModule {}

const app = await NestFactory.create(EventProcessModule, { logger: false, rawBody: true });
await app.listen(0, '127.0.0.1');

process.on('message', ({ id, tenantKey }: { id: number; tenantKey: string }) => {
  const startedAt = performance.now();
  app
    .get(TokenService)
    .getTenantAccessToken({ tenantKey })
    .then(
      () => say({ id, outcome: 'token', tookMs: performance.now() - startedAt }),
      (error: { code?: string }) => say({ id, outcome: error.code, tookMs: performance.now() - startedAt }),
    );
});
process.on('disconnect', () => process.exit());
say({ url: `${await app.getUrl()}/events` });
