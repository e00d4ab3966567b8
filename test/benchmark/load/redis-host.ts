import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createClient, type RedisClientType } from '@redis/client';
import { REDIS_SERVER } from './redis-binary.js';

/** A redis-server of the benchmark's own, and what it counts. */
export class RedisHost {
  private constructor(
    private readonly server: ChildProcess,
    readonly url: string,
    private readonly client: RedisClientType,
  ) {}

  static async start(): Promise<RedisHost> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const server = spawn(REDIS_SERVER, args, { stdio: 'ignore' });
    const url = `redis://127.0.0.1:${port}`;
    const client = createClient({ url }) as RedisClientType;
    // It is not up at once; the client tries again until it is.
    client.on('error', () => undefined);
    await client.connect();
    return new RedisHost(server, url, client);
  }

  async flush(): Promise<void> {
    await this.client.flushAll();
  }

  /** Commands that clients have sent so far to set a key or run a script; what a script does inside is none. */
  async commands(): Promise<number> {
    const statistics = await this.client.info('commandstats');
    const sent = [...statistics.matchAll(/^cmdstat_(set|eval|evalsha):calls=(\d+)/gm)];
    return sent.reduce((sum, [, , calls]) => sum + Number(calls), 0);
  }

  async stop(): Promise<void> {
    await this.client.close();
    const ended = once(this.server, 'exit');
    this.server.kill();
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
