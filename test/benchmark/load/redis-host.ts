import { spawnSync } from 'node:child_process';
import { createClient, type RedisClientType } from '@redis/client';
import { RedisServer } from '../../fleet/redis-server.js';

export function isRedisInstalled(): boolean {
  return spawnSync(process.env['REDIS_SERVER_BIN'] ?? 'redis-server', ['--version']).status === 0;
}

/** A redis-server of the benchmark's own, and what it counts. */
export class RedisHost {
  private constructor(
    private readonly server: RedisServer,
    private readonly client: RedisClientType,
  ) {}

  static async start(): Promise<RedisHost> {
    const server = await RedisServer.start();
    const client = createClient({ url: server.url }) as RedisClientType;
    await client.connect();
    return new RedisHost(server, client);
  }

  get url(): string {
    return this.server.url;
  }

  async flush(): Promise<void> {
    await this.client.flushAll();
  }

  /** Commands that clients have sent so far; what a script does inside is none. */
  async commands(): Promise<number> {
    const statistics = await this.client.info('commandstats');
    const sent = [...statistics.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)];
    return sent
      .filter(([, name]) => ['set', 'eval', 'evalsha', 'ping'].includes(name ?? ''))
      .reduce((sum, [, , calls]) => sum + Number(calls), 0);
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.server.stop();
  }
}
