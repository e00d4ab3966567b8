import { FeishuAuthEngine } from '../../lib/feishu-auth.engine.js';
import { type FeishuAuthModuleOptions } from '../../lib/feishu-auth.options.js';
import { createPrewarmer } from '../../lib/feishu-auth.services.js';
import { type TokenPrewarmer } from '../../lib/prewarm/token-prewarmer.js';
import { resolveOptions } from '../../lib/feishu-auth.options.schema.js';
import { type ClockTimer } from '../../lib/time/clock.js';
import { type TokenHandle } from '../../lib/tokens/access-token.js';
import { type PhaseLog } from './phase-log.js';
import { type SeededRandom } from './seeded-random.js';
import { TICKET } from './simulated-platform.js';
import { HostClock, type VirtualTime } from './virtual-time.js';

/** Every process reads each tenant once in so long, at no particular moment. */
const READ_EVERY_MS = 20 * 60_000;
const MAX_SKEW_MS = 3_000;

export interface ProcessSurroundings {
  readonly time: VirtualTime;
  readonly log: PhaseLog;
  readonly tenants: number;
  /** The store, the lock if there is one, and the platform. */
  readonly options: (clock: HostClock, random: SeededRandom) => Partial<FeishuAuthModuleOptions>;
}

/** One process: the module's engine and pre-warm as they are, and something that reads tokens. */
export class SimulatedProcess {
  private readonly engine: FeishuAuthEngine;
  private readonly prewarmer: TokenPrewarmer;
  private readonly handles: (TokenHandle | undefined)[];
  private nextTenant: number;
  private nextRead: ClockTimer | undefined;
  private lateCounted = 0;

  constructor(
    private readonly around: ProcessSurroundings,
    private readonly random: SeededRandom,
  ) {
    const { tenants } = around;
    const skewMs = random.between(-MAX_SKEW_MS, MAX_SKEW_MS);
    const clock = new HostClock(around.time, skewMs, random.between(1_000, 1e9));
    const options = resolveOptions({
      appId: 'cli_simulation',
      appSecret: 'the-secret-of-the-simulation',
      appType: 'store',
      maxTokens: Math.max(10_000, 2 * tenants),
      ...around.options(clock, random.fork()),
    });
    const mute = { log: () => undefined, warn: () => undefined, error: () => undefined };
    this.engine = new FeishuAuthEngine(options, clock, random.fork(), mute);
    this.prewarmer = createPrewarmer(this.engine, { warn: () => undefined });
    this.handles = Array.from({ length: tenants }, () => undefined);
    this.nextTenant = Math.floor(random.next() * tenants);
  }

  /** @param brings the ticket, as the process does that takes its event */
  async start(brings: { ticket: boolean }): Promise<void> {
    if (brings.ticket) await this.engine.tickets.set(TICKET);
    await this.prewarmer.onApplicationBootstrap();
    this.readLater();
  }

  async stop(): Promise<void> {
    this.nextRead?.cancel();
    this.prewarmer.onModuleDestroy();
    await this.engine.beforeApplicationShutdown();
    this.engine.onApplicationShutdown();
  }

  /** Late renewals since the last time it was asked. */
  takeLateRenewals(): number {
    const { late } = this.engine.metrics.snapshot().prewarm;
    const news = late - this.lateCounted;
    this.lateCounted = late;
    return news;
  }

  private readLater(): void {
    const { time, tenants } = this.around;
    const pauseMs = (READ_EVERY_MS / tenants) * this.random.between(0, 2);
    this.nextRead = time.after(pauseMs, () => {
      this.readLater();
      this.read();
    });
  }

  private read(): void {
    const { log, tenants, time } = this.around;
    const index = (this.nextTenant = (this.nextTenant + 1) % tenants);
    const handle = (this.handles[index] ??= this.engine.reader.handle({
      kind: 'tenant',
      tenantKey: `tenant_${index}`,
    }));
    log.current.reads++;
    if (handle.peek() !== undefined) return;
    const begun = log.current;
    const startedAt = time.now;
    handle
      .get()
      .catch(() => void begun.failed++)
      .finally(() => {
        const waitedMs = time.now - startedAt;
        if (waitedMs > 0) begun.waited++;
        begun.slowestReadMs = Math.max(begun.slowestReadMs, Math.round(waitedMs));
      })
      .catch(() => undefined);
  }
}
