import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type PrewarmOptions } from '../feishu-auth.options.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';
import { type TokenMetrics } from '../metrics/token-metrics.js';
import { type AppType } from '../platform/app-type.js';
import { type TenantPrewarm } from '../tenants/tenant-prewarm.js';
import { type AppTickets } from '../ticket/app-tickets.js';
import { type Clock, type ClockTimer } from '../time/clock.js';
import { type SlotSweeper } from '../tokens/slot-sweeper.js';
import { type TokenReader } from '../tokens/token-reader.js';
import { type IntervalRegistry } from './scheduler-registry.js';

/**
 * What one sweep did, in tokens.
 *
 * @publicApi
 */
export interface PrewarmSweepResult {
  /** Renewed here, or adopted after another process renewed them. */
  refreshed: number;
  /** Could not be renewed. Callers still get the held token. */
  failed: number;
  /** Removed, because no caller asked for them in a long time. */
  dropped: number;
}

/** @internal */
export interface PrewarmerDependencies {
  readonly instance: string;
  readonly appType: AppType;
  /** `isScheduled: false`: only calls of `sweep()` renew tokens. */
  readonly options: Required<PrewarmOptions> & { readonly isScheduled: boolean };
  readonly reader: TokenReader;
  readonly sweeper: SlotSweeper;
  readonly tickets: AppTickets;
  /** Present for a store app. */
  readonly tenants?: TenantPrewarm | undefined;
  /** Resolves when Feishu can reach the event endpoint of this process, if it has one. */
  readonly whenReachable?: () => Promise<void>;
  readonly metrics: TokenMetrics;
  readonly clock: Clock;
  /** The host's registry, looked up at bootstrap; `undefined` when the host did not import `ScheduleModule`. */
  readonly findRegistry: () => IntervalRegistry | undefined;
  /** Finds out whether a store that failed answers again. */
  readonly probeStore: () => Promise<void>;
  /** Renews the logins of users that end soon, if the options ask for it. Never rejects. */
  readonly keepAlive?: () => Promise<void>;
  readonly warn: (message: string) => void;
}

/**
 * Renews tokens before a caller has to wait. It has one interval, named `feishu-auth:<instance>:prewarm` in the host's
 * `SchedulerRegistry`.
 *
 * @publicApi
 */
@FeishuService('TokenPrewarmer')
export class TokenPrewarmer {
  readonly #deps: PrewarmerDependencies;
  #timer: ClockTimer | undefined;
  #registry: IntervalRegistry | undefined;
  #running: Promise<PrewarmSweepResult> | undefined;

  /** @internal */
  constructor(deps: PrewarmerDependencies) {
    this.#deps = deps;
  }

  /**
   * Renews the tokens that are due, a bounded number at a time, and removes those that no caller asks for. A failed
   * renewal is counted in the result and does not reject. A call during a sweep joins it.
   */
  sweep(): Promise<PrewarmSweepResult> {
    this.#running ??= this.#sweepOnce().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** @internal */
  async onApplicationBootstrap(): Promise<void> {
    const { options } = this.#deps;
    if (!options.isScheduled) return;
    this.#schedule(options.intervalMs);
    if (options.onBootstrap === 'require') await this.#require();
    if (options.onBootstrap === 'background') void this.#fetchOwn().catch(() => undefined);
  }

  /** @internal */
  onModuleDestroy(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const registry = this.#registry;
    // The registry's own shutdown may have removed it already.
    if (registry?.doesExist('interval', this.#jobName)) registry.deleteInterval(this.#jobName);
  }

  get #jobName(): string {
    return `feishu-auth:${this.#deps.instance}:prewarm`;
  }

  #schedule(intervalMs: number): void {
    const { clock, findRegistry } = this.#deps;
    this.#timer = clock.setInterval(() => this.#tick(), intervalMs);
    this.#registry = findRegistry();
    // The registry does not catch what an interval throws; #tick() does not throw.
    this.#registry?.addInterval(this.#jobName, this.#timer.handle);
  }

  #tick(): void {
    if (this.#running) {
      this.#deps.metrics.sweepSkipped();
      return;
    }
    this.sweep()
      .catch(() => this.#deps.warn('pre-warm: a sweep failed unexpectedly; the next sweep tries again'))
      .catch(() => undefined);
  }

  async #sweepOnce(): Promise<PrewarmSweepResult> {
    const { options, sweeper, tenants, metrics, probeStore, keepAlive } = this.#deps;
    const { idleAfterMs, concurrency } = options;
    const keptAlive = keepAlive?.();
    await probeStore();
    const toWarm = (await tenants?.toWarm(idleAfterMs)) ?? [];
    const isInUse = (tenantKey: string): boolean => tenants?.isInUse(tenantKey, idleAfterMs) ?? false;
    const result: PrewarmSweepResult = {
      refreshed: 0,
      failed: 0,
      dropped: sweeper.dropIdle(idleAfterMs, isInUse),
    };
    // Held tokens come first. All workers take from one queue.
    const due = [...sweeper.due(), ...toWarm].values();
    const renewNext = async (): Promise<void> => {
      for (const slot of due) {
        const outcome = await sweeper.renew(slot);
        if (outcome === 'renewed') result.refreshed++;
        if (outcome === 'failed') result.failed++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, renewNext));
    await keptAlive;
    metrics.sweepFinished(result);
    return result;
  }

  /** Fetches the app's own token, which every caller needs. */
  async #fetchOwn(): Promise<void> {
    const { appType, reader, sweeper, tickets } = this.#deps;
    if (appType === 'self-built') {
      await sweeper.renew(reader.slotOf({ kind: 'tenant' }));
      return;
    }
    if ((await tickets.current()) === undefined) await this.#askForTicket();
    else await sweeper.renew(reader.slotOf({ kind: 'app' }));
    // The first sweep fetches the tokens of tenants that were in use before this process started.
    if (this.#timer) await this.sweep();
  }

  async #askForTicket(): Promise<void> {
    const { tickets, whenReachable } = this.#deps;
    await whenReachable?.();
    // Not awaited: a tenant whose token is in the store needs no ticket.
    if (!tickets.hasTicket()) tickets.requestResend().catch(() => undefined);
  }

  async #require(): Promise<void> {
    const { appType, reader, tickets, instance, warn } = this.#deps;
    try {
      if (appType === 'store' && (await tickets.current()) === undefined) {
        // The ticket arrives by an event, which only a started application can receive.
        await tickets.requestResend();
        warn(
          "prewarm.onBootstrap 'require': no app_ticket yet, so only the app's secret was checked, not its token",
        );
        return;
      }
      await reader.get(reader.slotOf({ kind: appType === 'store' ? 'app' : 'tenant' }));
    } catch (error) {
      if (!isFeishuAuthError(error)) throw error;
      error.message = `FeishuAuthModule (instance '${instance}') got no token, and prewarm.onBootstrap is 'require': ${error.message}`;
      throw error;
    }
  }
}
