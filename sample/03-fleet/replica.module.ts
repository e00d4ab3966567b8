import { createKeyv } from '@keyv/redis';
import { Module } from '@nestjs/common';
import { createCache } from 'cache-manager';
import { FeishuAuthModule } from 'nestjs-feishu-auth';
import { RedisRefreshLock } from 'nestjs-feishu-auth/redis';
import { tell } from './messages.js';
import { Redis, RedisModule } from './redis.module.js';

/** The app that the emulator of this sample knows. */
export const EMULATED_APP = { appId: 'cli_fleet', appSecret: 'not-a-secret' };

@Module({
  imports: [
    FeishuAuthModule.forRootAsync({
      imports: [RedisModule],
      inject: [Redis],
      useFactory: ({ client }: Redis) => {
        const open = process.env['FEISHU_OPEN'] ?? 'http://127.0.0.1:8089';
        return {
          ...EMULATED_APP,
          domain: { open, accounts: open },
          // These two lines make a fleet of it: tokens in Redis, and one process at a time to renew them.
          cache: createCache({ stores: [createKeyv(client)] }),
          lock: new RedisRefreshLock({ client }),
          // Tokens that live for seconds want a look every second, and a lock that is given up sooner.
          prewarm: { onBootstrap: 'off', intervalMs: 1_000 },
          refresh: { requestTimeoutMs: 1_000, lockTtlMs: 2_000 },
          fetch: (...request) => {
            tell({ asking: true });
            return fetch(...request);
          },
        };
      },
    }),
  ],
})
export class ReplicaModule {}
