import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type FeishuEmulator } from '../../lib/testing/index.js';
import { compiledFleet, type OtherVersion } from './compiled-fleet.js';
import {
  type FleetCalls,
  type FleetMessage,
  type FleetRequest,
  type ProcessSetup,
} from './fleet-messages.js';
import { type RedisServer } from './redis-server.js';

export const FLEET_APP = { appId: 'cli_fleet', appSecret: 'the-secret-of-the-fleet' } as const;
export const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';

const CALL_LIMIT_MS = 30_000;

/** One process of the fleet: a Nest application of its own, asked over its IPC channel. */
export class FleetProcess {
  /** Everything that it told of itself. */
  readonly events: { event: string; at: number }[] = [];
  private readonly pending = new Map<
    number,
    { resolve(result: unknown): void; reject(error: Error): void }
  >();
  private readonly listeners = new Set<() => void>();
  private calls = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: FleetMessage) => this.heard(message));
    child.on('exit', () => {
      for (const waiting of this.pending.values()) waiting.reject(new Error('the process has ended'));
      this.pending.clear();
    });
  }

  static async start(setup: ProcessSetup, other?: OtherVersion): Promise<FleetProcess> {
    const script = await compiledFleet(other);
    // Jest's own flags are not for them.
    const child = fork(script, [JSON.stringify(setup)], { execArgv: ['--expose-gc'] });
    const started = new FleetProcess(child);
    await started.until('ready');
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Asks it for one thing. */
  async call<M extends keyof FleetCalls>(
    method: M,
    ...args: Parameters<FleetCalls[M]>
  ): Promise<Awaited<ReturnType<FleetCalls[M]>>> {
    const id = ++this.calls;
    const request: FleetRequest = { id, method, args };
    let timer: NodeJS.Timeout | undefined;
    try {
      const result = await new Promise<unknown>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${method}: no answer`)), CALL_LIMIT_MS);
        this.pending.set(id, { resolve, reject });
        this.child.send(request);
      });
      return result as Awaited<ReturnType<FleetCalls[M]>>;
    } finally {
      clearTimeout(timer);
      this.pending.delete(id);
    }
  }

  /** Resolves when it tells of `event`, `count` times since it started. */
  async until(event: string, count = 1): Promise<void> {
    const isThere = (): boolean => this.events.filter((it) => it.event === event).length >= count;
    while (!isThere()) {
      if (this.child.exitCode !== null) throw new Error(`the process ended before '${event}'`);
      await new Promise<void>((resolve) => {
        this.listeners.add(resolve);
        this.child.once('exit', resolve);
      });
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Closes the application and gives it until `limitMs` to leave nothing behind that keeps the process alive. */
  async endsByItself(limitMs: number): Promise<boolean> {
    const ended = once(this.child, 'exit');
    await this.call('close');
    this.child.disconnect();
    const timer = new Promise<false>((resolve) => {
      setTimeout(resolve, limitMs, false).unref();
    });
    return Promise.race([ended.then(() => true), timer]);
  }

  private heard(message: FleetMessage): void {
    if ('event' in message) {
      this.events.push({ event: message.event, at: performance.now() });
      for (const wake of this.listeners) wake();
      this.listeners.clear();
      return;
    }
    const call = this.pending.get(message.id);
    if ('error' in message) call?.reject(new Error(message.error));
    else call?.resolve(message.result);
  }
}

/** Processes on one Redis and one platform; ended together. */
export class Fleet {
  readonly processes: FleetProcess[] = [];

  constructor(
    readonly emulator: FeishuEmulator,
    readonly redis: RedisServer,
    private readonly defaults: Partial<ProcessSetup> = {},
  ) {}

  async add(setup: Partial<ProcessSetup> = {}, other?: OtherVersion): Promise<FleetProcess> {
    const { domain } = this.emulator;
    const process = await FleetProcess.start(
      { ...FLEET_APP, domain, redisUrl: this.redis.url, ...this.defaults, ...setup },
      other,
    );
    this.processes.push(process);
    return process;
  }

  async addMany(count: number, setup?: Partial<ProcessSetup>): Promise<FleetProcess[]> {
    const added: FleetProcess[] = [];
    // Four at a time: more would only take turns on the cores there are.
    for (let left = count; left > 0; left -= 4) {
      added.push(...(await Promise.all(Array.from({ length: Math.min(4, left) }, () => this.add(setup)))));
    }
    return added;
  }

  /** Requests for a token so far. */
  get platformCalls(): number {
    return this.emulator.requestsTo(/_access_token/).length;
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((process) => process.kill()));
  }
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Resolves as soon as `condition` holds; real processes have no clock that could be moved. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`did not come about within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
