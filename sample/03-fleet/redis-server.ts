import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
const START_LIMIT_MS = 10_000;
const END_LIMIT_MS = 5_000;

const MISSING = (binary: string): string => `'${binary}' cannot be started: this sample needs a redis-server.

   Debian, Ubuntu   sudo apt-get install redis-server
   macOS            brew install redis
   elsewhere        name it in REDIS_SERVER_BIN

With Docker instead: docker compose up --build`;

/** A redis-server of the show's own, on a free port, that can be frozen and restarted. */
export class RedisServer {
  private server: ChildProcess | undefined;

  private constructor(
    private readonly binary: string,
    private readonly port: number,
  ) {}

  static async start(binary = process.env['REDIS_SERVER_BIN'] ?? 'redis-server'): Promise<RedisServer> {
    const redis = new RedisServer(binary, await freePort());
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Starts it, with nothing in it. */
  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
    const server = spawn(this.binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.server = server;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let said = '';
        const fail = (why: string): void => reject(new Error(`redis-server ${why}\n${said}`));
        timer = setTimeout(() => fail('did not start in time'), START_LIMIT_MS);
        server.once('error', () => reject(new Error(MISSING(this.binary))));
        server.once('exit', () => fail('ended'));
        for (const stream of [server.stdout, server.stderr]) {
          stream.setEncoding('utf8').on('data', (text: string) => {
            said += text;
            if (said.includes('Ready to accept connections')) resolve();
          });
        }
      });
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  /** Ends it where it stands, frozen or not. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    // Without a pid it has never run.
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit', { signal: AbortSignal.timeout(END_LIMIT_MS) });
    server.kill('SIGKILL');
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
