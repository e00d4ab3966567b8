import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { waitUntil } from './fleet.js';
import { BINARY, freePort, HOST, RedisServer } from './redis-server.js';

const NAME = 'main';

/** A primary, its replica, and the sentinel that puts the one in the other's place. */
export class RedisFailover {
  private constructor(
    private readonly primary: RedisServer,
    private readonly replica: RedisServer,
    private readonly sentinel: ChildProcess,
    private readonly sentinelPort: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<RedisFailover> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'));
    const primary = await RedisServer.start(['--dir', folder, '--repl-diskless-sync-delay', '0']);
    const replica = await RedisServer.start(['--dir', folder, '--replicaof', HOST, String(primary.port)]);
    await waitUntil(async () => (await infoOf(replica)).includes('master_link_status:up'));
    const port = await freePort();
    const config = join(folder, 'sentinel.conf');
    const settings = [
      `port ${port}`,
      `bind ${HOST}`,
      `dir ${folder}`,
      `sentinel monitor ${NAME} ${HOST} ${primary.port} 1`,
      `sentinel down-after-milliseconds ${NAME} 500`,
      `sentinel failover-timeout ${NAME} 3000`,
    ];
    // It writes down there what it has found out.
    await writeFile(config, settings.join('\n'));
    const sentinel = spawn(BINARY, [config, '--sentinel'], { stdio: 'ignore' });
    const failover = new RedisFailover(primary, replica, sentinel, port, folder);
    await waitUntil(() => failover.knowsReplica());
    return failover;
  }

  /** For `createSentinel`. */
  get clientOptions(): { name: string; sentinelRootNodes: { host: string; port: number }[] } {
    return { name: NAME, sentinelRootNodes: [{ host: HOST, port: this.sentinelPort }] };
  }

  killPrimary(): Promise<void> {
    return this.primary.kill();
  }

  /** Resolves when the replica has taken over. */
  untilOver(): Promise<void> {
    return waitUntil(async () => (await infoOf(this.replica)).includes('role:master'), 20_000);
  }

  /** Whether the server that has taken over holds a value with `text` in it. */
  async holds(text: string): Promise<boolean> {
    const keys = (await ask(this.replica.port, ['KEYS', '*'])) as string[];
    if (keys.length === 0) return false;
    return String(await ask(this.replica.port, ['MGET', ...keys])).includes(text);
  }

  async end(): Promise<void> {
    const ended = once(this.sentinel, 'exit');
    this.sentinel.kill('SIGKILL');
    await ended;
    await this.primary.kill();
    await this.replica.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async knowsReplica(): Promise<boolean> {
    const answer = await ask(this.sentinelPort, ['SENTINEL', 'REPLICAS', NAME]).catch(() => []);
    return Array.isArray(answer) && answer.length > 0;
  }
}

async function infoOf({ port }: RedisServer): Promise<string> {
  return String(await ask(port, ['INFO', 'replication']));
}

async function ask(port: number, command: string[]): Promise<unknown> {
  const client = createClient({ socket: { host: HOST, port, reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}
