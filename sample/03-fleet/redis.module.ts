import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { createClient, type RedisClientType } from '@redis/client';
import { readEnvironment } from './environment.js';

/** The injection token of the one client that tokens and locks share. */
export const REDIS = Symbol('redis');

const CONNECT_WAIT_MS = 1_000;
const LONGEST_RECONNECT_PAUSE_MS = 2_000;

async function connect(url: string): Promise<RedisClientType> {
  const client = createClient({
    url,
    // While Redis is away a command fails at once, instead of waiting in a queue for its return.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 2_000,
      // For ever, so that nothing has to be restarted when Redis is back.
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, LONGEST_RECONNECT_PAUSE_MS),
    },
  }) as RedisClientType;
  // Without a listener an `error` event ends the process.
  client.on('error', () => undefined);
  // Redis may be down: the application starts all the same, and shares as soon as it is up.
  await Promise.race([client.connect().catch(() => undefined), pause(CONNECT_WAIT_MS)]);
  return client;
}

@Module({
  providers: [{ provide: REDIS, useFactory: () => connect(readEnvironment(process.env).redisUrl) }],
  exports: [REDIS],
})
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly client: RedisClientType) {}

  onApplicationShutdown(): void {
    this.client.destroy();
  }
}
