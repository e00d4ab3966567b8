import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type PrewarmOptions } from '../feishu-auth.options.js';
import { type TokenMetrics } from '../metrics/token-metrics.js';
import { type TenantPrewarm } from '../tenants/tenant-prewarm.js';
import { type AppTicketService } from '../ticket/app-ticket.service.js';
import { type Clock, type ClockTimer } from '../time/clock.js';
import { type TokenReader } from '../tokens/token-reader.js';
import { type IntervalRegistry } from './scheduler-registry.js';
import { type AppType } from '../platform/app-type.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/**
 * What one sweep did, in tokens.
 *
 * @publicApi
 */
export interface PrewarmSweepResult {
  /** Renewed, or found renewed by another process. */
  refreshed: number;
  /** Could not be renewed; callers still have the token they had. */
  failed: number;
  /** Of tenants that nobody asked for in a long time: let go. */
  dropped: number;
}

/** @internal */
export interface PrewarmerDependencies {
  readonly instance: string;
  readonly appType: AppType;
  /** `undefined`: nothing runs by itself; `sweep()` still works. */
  readonly options: Required<PrewarmOptions> | undefined;
  readonly reader: TokenReader;
  readonly tickets: AppTicketService;
  /** A store app's. */
  readonly tenants?: TenantPrewarm | undefined;
  /** Resolves when the platform can reach this process, if it is to. */
  readonly whenReachable?: () => Promise<void>;
  readonly metrics: TokenMetrics;
  readonly clock: Clock;
  /** The host's, asked for at bootstrap; `undefined` when it has not imported `ScheduleModule`: the timer is then only ours. */
  readonly findRegistry: () => IntervalRegistry | undefined;
  /** Finds out whether a store that failed answers again. */
  readonly probeStore: () => Promise<void>;
  readonly warn: (message: string) => void;
}

const DEFAULTS = { concurrency: 8, idleAfterMs: 7_200_000 };

/**
 * Renews tokens before anyone has to wait for it: one interval, named `feishu-auth:<instance>:prewarm` in the host's
 * `SchedulerRegistry`.
 *
 * @publicApi
 */
@FeishuService('TokenPrewarmer')
export class TokenPrewarmer {
  private timer: ClockTimer | undefined;
  private registry: IntervalRegistry | undefined;
  private running: Promise<PrewarmSweepResult> | undefined;

  /** @internal */
  constructor(private readonly deps: PrewarmerDependencies) {}

  /**
   * Renews what is due, a bounded number at a time, and lets go of tenants that nobody asks for. A token that cannot
   * be renewed is no error. While a sweep runs, another call joins it.
   */
  sweep(): Promise<PrewarmSweepResult> {
    this.running ??= this.sweepOnce().finally(() => (this.running = undefined));
    return this.running;
  }

  /** @internal */
  async onApplicationBootstrap(): Promise<void> {
    const { options } = this.deps;
    if (options === undefined) return;
    this.schedule(options.intervalMs);
    if (options.onBootstrap === 'require') await this.require();
    if (options.onBootstrap === 'background') void this.fetchOwn().catch(() => undefined);
  }

  /** @internal */
  onModuleDestroy(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const { registry } = this;
    // The orchestrator may have cleared it before us.
    if (registry?.doesExist('interval', this.jobName)) registry.deleteInterval(this.jobName);
  }

  private get jobName(): string {
    return `feishu-auth:${this.deps.instance}:prewarm`;
  }

  private schedule(intervalMs: number): void {
    const { clock, findRegistry } = this.deps;
    this.timer = clock.setInterval(() => this.tick(), intervalMs);
    this.registry = findRegistry();
    // The registry wraps no interval in a try/catch: tick() cannot throw.
    this.registry?.addInterval(this.jobName, this.timer.handle);
  }

  private tick(): void {
    if (this.running) this.deps.metrics.sweepSkipped();
    else
      this.sweep()
        .catch(() => this.sayUnexpected())
        .catch(() => undefined);
  }

  /** A bug of ours ends one sweep; not the host's process, and not the sweeps to come. */
  private sayUnexpected(): void {
    this.deps.warn('pre-warm: a sweep failed unexpectedly; the next one tries again');
  }

  private async sweepOnce(): Promise<PrewarmSweepResult> {
    const { options = DEFAULTS, reader, tenants, metrics, probeStore } = this.deps;
    const { idleAfterMs } = options;
    await probeStore();
    const toWarm = (await tenants?.toWarm(idleAfterMs)) ?? [];
    const isInUse = (tenantKey: string): boolean => tenants?.isInUse(tenantKey, idleAfterMs) ?? false;
    const result: PrewarmSweepResult = {
      refreshed: 0,
      failed: 0,
      dropped: reader.dropIdle(idleAfterMs, isInUse),
    };
    // What is held and due comes first. One queue that all draw from.
    const due = [...reader.due(), ...toWarm].values();
    const renewNext = async (): Promise<void> => {
      for (const slot of due) {
        const outcome = await reader.renew(slot);
        if (outcome === 'renewed') result.refreshed++;
        if (outcome === 'failed') result.failed++;
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, renewNext));
    metrics.sweepFinished(result);
    return result;
  }

  /** The app's own token: whatever else is asked for, this is needed. */
  private async fetchOwn(): Promise<void> {
    const { appType, reader, tickets } = this.deps;
    if (appType === 'self-built') {
      await reader.renew(reader.slotOf({ kind: 'tenant' }));
      return;
    }
    if ((await tickets.current()) === undefined) await this.askForTicket();
    else await reader.renew(reader.slotOf({ kind: 'app' }));
    // Its tenants: those that were in use before this process started.
    if (this.timer) await this.sweep();
  }

  private async askForTicket(): Promise<void> {
    const { tickets, whenReachable } = this.deps;
    await whenReachable?.();
    // Not awaited: tenants whose tokens are in the store need no ticket.
    if (!tickets.hasTicket()) tickets.requestResend().catch(() => undefined);
  }

  private async require(): Promise<void> {
    const { appType, reader, tickets, instance, warn } = this.deps;
    try {
      if (appType === 'store' && (await tickets.current()) === undefined) {
        // The ticket arrives by an event, which only a started app can receive.
        await tickets.requestResend();
        warn(
          "no app_ticket yet: onBootstrap 'require' could only check that the platform takes the app's secret",
        );
        return;
      }
      await reader.get(reader.slotOf({ kind: appType === 'store' ? 'app' : 'tenant' }));
    } catch (error) {
      if (!isFeishuAuthError(error)) throw error;
      error.message = `FeishuAuthModule (instance '${instance}') has no token and prewarm.onBootstrap is 'require': ${error.message}`;
      throw error;
    }
  }
}
