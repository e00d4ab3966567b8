import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { allowOneStall } from './real-time.js';

export const BINARY = process.env['REDIS_SERVER_BIN'] ?? 'redis-server';
export const HOST = '127.0.0.1';
const START_LIMIT_MS = 10_000;

const isInstalled = spawnSync(BINARY, ['--version']).status === 0;
const MISSING = `'${BINARY}' is not to be had: install redis-server, or name it in REDIS_SERVER_BIN`;

/** A `describe` of what only a real redis-server can prove. Without one it is skipped, and said; in CI it fails. */
export function describeWithRedis(name: string, body: () => void): void {
  allowOneStall();
  if (isInstalled) {
    describe(name, body);
  } else if (process.env['CI'] === 'true') {
    describe(name, () => {
      it('needs a redis-server', () => {
        throw new Error(MISSING);
      });
    });
  } else {
    // Not console.warn: of a file that is skipped as a whole Jest prints nothing that went to the console.
    process.stderr.write(`SKIPPED: ${name}\n${MISSING}\n`);
    describe.skip(name, body);
  }
}

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
    const args = [...own, ...this.settings];
    const server = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`redis-server on port ${this.port}: ${why}`));
      const timer = setTimeout(() => fail('did not start in time'), START_LIMIT_MS);
      let said = '';
      server.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        if (said.includes('Ready to accept connections')) {
          clearTimeout(timer);
          resolve();
        }
      });
      server.once('exit', () => fail(`ended\n${said}`));
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
    if (!server || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGCONT');
    server.kill(signal);
    await ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
