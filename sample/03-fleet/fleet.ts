import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Environment } from './environment.js';
import { type FromReplica, type Report, type ToReplica } from './messages.js';
import { until } from './until.js';

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));
const START_LIMIT_MS = 30_000;
const END_LIMIT_MS = 5_000;
const NOTHING: Report = {
  reads: 0,
  failedReads: 0,
  slowestMs: 0,
  apiCalls: 0,
  rejected: 0,
  platformCalls: 0,
  adopted: 0,
  lockWaits: 0,
  isAsking: false,
  health: '',
};

/** One process of the fleet, as seen from outside. */
export class Replica {
  /** What it said last; it stays after its death. */
  report = NOTHING;
  slowestMs = 0;
  /** The slowest read since {@link Fleet.startLap}. */
  lapSlowestMs = 0;
  isReady = false;
  isKilled = false;

  constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (message: FromReplica) => this.heard(message));
    // Sending to a process that has just ended; its end is seen by itself.
    child.on('error', () => undefined);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  startReading(): void {
    const message: ToReplica = 'read';
    this.child.send(message);
  }

  /** SIGKILL: it gets to tidy nothing up. */
  async kill(): Promise<void> {
    this.isKilled = true;
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit', { signal: AbortSignal.timeout(END_LIMIT_MS) });
    this.child.kill('SIGKILL');
    await ended;
  }

  private heard(message: FromReplica): void {
    if (message === 'ready') {
      this.isReady = true;
      return;
    }
    this.report = message;
    this.slowestMs = Math.max(this.slowestMs, message.slowestMs);
    this.lapSlowestMs = Math.max(this.lapSlowestMs, message.slowestMs);
  }
}

/** Replicas on one Redis and one platform. */
export class Fleet {
  /** Every one there has been, the killed ones too. */
  readonly replicas: Replica[] = [];

  constructor(
    private readonly environment: Environment & { domain: { open: string } },
    private readonly signal: AbortSignal,
  ) {}

  get alive(): Replica[] {
    return this.replicas.filter(({ isKilled }) => !isKilled);
  }

  get slowestMs(): number {
    return Math.max(...this.replicas.map(({ slowestMs }) => slowestMs));
  }

  get lapSlowestMs(): number {
    return Math.max(...this.replicas.map(({ lapSlowestMs }) => lapSlowestMs));
  }

  startLap(): void {
    for (const replica of this.replicas) replica.lapSlowestMs = 0;
  }

  total(figure: 'reads' | 'failedReads' | 'apiCalls' | 'rejected' | 'adopted'): number {
    return this.replicas.reduce((sum, { report }) => sum + report[figure], 0);
  }

  /** Adds replicas that are ready to read. */
  async add(count: number): Promise<Replica[]> {
    const added = Array.from({ length: count }, () => this.fork());
    if (!(await this.until(() => added.every(({ isReady }) => isReady), START_LIMIT_MS))) {
      throw new Error(`a replica was not ready within ${START_LIMIT_MS / 1_000} s`);
    }
    return added;
  }

  /** Whether all hold one and the same token, fetched after `since` (epoch milliseconds). */
  sharesOneToken(since = 0): boolean {
    const held = this.alive.map(({ report }) => report.held);
    return new Set(held.map((it) => it?.fingerprint)).size === 1 && (held[0]?.obtainedAt ?? -1) > since;
  }

  /** Whether `condition` came about in time. */
  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return until(
      () => {
        const lost = this.alive.find(({ hasEnded }) => hasEnded);
        if (lost) throw new Error(`${lost.name} ended by itself`);
        return condition();
      },
      limitMs,
      this.signal,
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
  }

  private fork(): Replica {
    const { appId, appSecret, domain, redisUrl } = this.environment;
    const child = fork(WORKER, {
      // Flags of the show's own process are not for them.
      execArgv: [],
      env: {
        ...process.env,
        FEISHU_APP_ID: appId,
        FEISHU_APP_SECRET: appSecret,
        FEISHU_DOMAIN: domain.open,
        REDIS_URL: redisUrl,
      },
    });
    const replica = new Replica(`replica-${this.replicas.length + 1}`, child);
    this.replicas.push(replica);
    return replica;
  }
}
