import { type ChildProcess, spawnSync } from 'node:child_process';
import { describeIfInstalled, endServer, freePort, HOST, startServer } from '../fixtures/server-process.js';

export { freePort, HOST };
export const BINARY = process.env['REDIS_SERVER_BIN'] ?? 'redis-server';

const REQUIREMENT = {
  isInstalled: spawnSync(BINARY, ['--version']).status === 0,
  name: 'a redis-server',
  missing: `'${BINARY}' was not found: install redis-server, or name it in REDIS_SERVER_BIN`,
};

/** A `describe` of what only a real redis-server can prove. Without one it is skipped, and says so; in CI it fails. */
export const describeWithRedis = (name: string, body: () => void): void =>
  describeIfInstalled(REQUIREMENT, name, body);

/** A redis-server of the test's own, on a port of its own, that can be stopped, killed, frozen and starved. */
export class RedisServer {
  private server: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly settings: readonly string[],
  ) {}

  /** One that runs. @param settings of the command line, besides its own */
  static async start(settings?: readonly string[]): Promise<RedisServer> {
    const redis = await RedisServer.reserve(settings);
    await redis.start();
    return redis;
  }

  /** One that is not up yet. */
  static async reserve(settings: readonly string[] = []): Promise<RedisServer> {
    return new RedisServer(await freePort(), settings);
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Starts it, empty. */
  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
    this.server = await startServer({
      command: BINARY,
      args: [...own, ...this.settings],
      ready: 'Ready to accept connections',
      startLimitMs: 10_000,
    });
  }

  /** Ends it in good order: it closes its connections. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** Ends it where it stands. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  /** Killed and started again, with nothing in it. */
  async restartEmpty(): Promise<void> {
    await this.kill();
    await this.start();
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) await endServer(server, signal);
  }
}
