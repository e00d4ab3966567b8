import { createKeyv } from '@keyv/redis';
import { Module } from '@nestjs/common';
import { type RedisClientType } from '@redis/client';
import { createCache } from 'cache-manager';
import { FeishuAuthModule } from 'nestjs-feishu-auth';
import { RedisRefreshLock } from 'nestjs-feishu-auth/redis';
import { readEnvironment } from './environment.js';
import { REDIS, RedisModule } from './redis.module.js';
import { SteadyReader } from './steady-reader.js';

@Module({
  imports: [
    FeishuAuthModule.forRootAsync({
      imports: [RedisModule],
      inject: [REDIS],
      useFactory: (client: RedisClientType) => {
        const { appId, appSecret, domain } = readEnvironment(process.env);
        return {
          appId,
          appSecret,
          domain,
          // These two are all that makes many processes behave as one.
          cache: createCache({ stores: [createKeyv(client)] }),
          lock: new RedisRefreshLock({ client }),
          // For tokens that live for seconds. Leave both out for Feishu's, which live for two hours.
          refresh: { requestTimeoutMs: 1_500, lockTtlMs: 3_000 },
          prewarm: { intervalMs: 1_000, onBootstrap: 'off' },
        };
      },
    }),
  ],
  providers: [SteadyReader],
})
export class AppModule {}
