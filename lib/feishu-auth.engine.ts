import { setMaxListeners } from 'node:events';
import { type ResolvedOptions } from './feishu-auth.options.js';
import { type HealthSources } from './health/examine-health.js';
import { InProcessRefreshLock } from './lock/in-process-refresh-lock.js';
import { type RefreshLock } from './lock/refresh-lock.js';
import { WatchedLock } from './lock/watched-lock.js';
import { EventMetrics } from './metrics/event-metrics.js';
import { TokenMetrics } from './metrics/token-metrics.js';
import { FeishuPlatformClient } from './platform/feishu-platform.client.js';
import { TokenGrants } from './platform/token-grants.js';
import { MemoryCache } from './store/memory-cache.js';
import { RecordCipher } from './store/record-cipher.js';
import { RecordStore } from './store/record-store.js';
import { SharedStore } from './store/shared-store.js';
import { AppTickets } from './ticket/app-tickets.js';
import { type TokenOwner } from './token.service.js';
import { type Clock } from './time/clock.js';
import { type RandomSource } from './time/random-source.js';
import { TelemetryChannels } from './telemetry/channels.js';
import { EngineTelemetry } from './telemetry/engine-telemetry.js';
import { type InstanceTelemetry } from './telemetry/instance-telemetry.js';
import { PublishingObserver } from './telemetry/publishing-observer.js';
import { TenantLifecycle } from './tenants/tenant-lifecycle.js';
import { TenantRegistry } from './tenants/tenant-registry.js';
import { TenantStatuses } from './tenants/tenant-statuses.js';
import { ThrottledLog, type ModuleLogger } from './time/throttled-log.js';
import { DependencyLog } from './health/dependency-log.js';
import { CacheRenewal } from './tokens/renewal/cache-renewal.js';
import { FailureLog } from './tokens/renewal/failure-log.js';
import { FlightLock } from './tokens/renewal/flight-lock.js';
import { TokenAcceptance } from './tokens/renewal/token-acceptance.js';
import { TokenPublisher } from './tokens/renewal/token-publisher.js';
import { loginKey } from './users/record/login-key.js';
import { UserEngine } from './users/user-engine.js';
import { UserRenewal, UsersNotConfigured } from './users/user-renewal.js';
import { TokenRefresher } from './tokens/renewal/token-refresher.js';
import {
  AppTicketSource,
  CredentialsSource,
  NeededTokenSource,
  type TokenSource,
} from './tokens/renewal/token-source.js';
import { SlotTable } from './tokens/slot/slot-table.js';
import { TokenSlot } from './tokens/slot/token-slot.js';
import { SlotSweeper } from './tokens/slot-sweeper.js';
import { forEachKind } from './tokens/token-kinds.js';
import { cacheKey } from './tokens/token-query.js';
import { TokenReader } from './tokens/token-reader.js';

/** The records of the app itself, besides one a token. */
const APP_RECORDS = 8;
/** Statuses of a store app's tenants must not evict tokens from the cache in memory. */
const STATUS_RECORDS = 1_000;

/** How long the flights under way may go on when the application closes. */
const CLOSE_GRACE_MS = 1_000;

/** Everything of one instance that outlives a request. Nest sees it as one provider. */
export class FeishuAuthEngine {
  readonly metrics: TokenMetrics;
  readonly tickets: AppTickets;
  readonly slots: SlotTable;
  readonly reader: TokenReader;
  readonly sweeper: SlotSweeper;
  readonly lock: RefreshLock;
  readonly eventMetrics = new EventMetrics();
  readonly tenants: TenantLifecycle;
  readonly tenantRegistry: TenantRegistry;
  readonly probeStore: () => Promise<void>;
  readonly health: HealthSources;
  readonly telemetry: InstanceTelemetry;
  /** Absent without the option `users`. */
  readonly users: UserEngine | undefined;
  private readonly store: SharedStore;
  private readonly refresher: TokenRefresher;
  private readonly closing = new AbortController();

  constructor(
    readonly options: ResolvedOptions,
    readonly clock: Clock,
    random: RandomSource,
    logger: ModuleLogger,
  ) {
    const { maxTokens, refresh, encryptionKeys, appId, appSecret } = options;
    const cache = options.cache ?? new MemoryCache(maxTokens + APP_RECORDS + STATUS_RECORDS, clock);
    const throttledLog = new ThrottledLog(logger, clock);
    const log = new FailureLog(throttledLog);
    const dependencies = new DependencyLog(throttledLog);
    const ownLock = options.lock ?? new InProcessRefreshLock({ clock });
    const lock = new WatchedLock(ownLock, (problem) => dependencies.lockChanged(problem));
    this.lock = lock;
    if (ownLock instanceof InProcessRefreshLock) this.eventMetrics.watchClaims(ownLock);

    this.metrics = new TokenMetrics({ instance: options.instance, clock });
    const channels = new TelemetryChannels(options.instance);
    const observer = new PublishingObserver(this.metrics, channels, clock);
    this.store = new SharedStore({
      cache,
      clock,
      timeoutMs: refresh.storeTimeoutMs,
      onChange: (problem) => dependencies.storeChanged(problem),
      onBreaker: (state) => channels.breakerChanged({ state }),
    });
    const cipher = encryptionKeys.length > 0 ? new RecordCipher(encryptionKeys) : undefined;
    const records = new RecordStore(this.store, cipher);
    const client = new FeishuPlatformClient({
      openOrigin: options.openOrigin,
      appType: options.appType,
      requestTimeoutMs: refresh.requestTimeoutMs,
      fetch: options.fetch,
      clock,
      secrets: [appSecret],
    });
    const grants = new TokenGrants(client, appId, appSecret);
    this.tickets = new AppTickets({
      appType: options.appType,
      key: cacheKey(options, 'app_ticket'),
      records,
      storeTimeoutMs: refresh.storeTimeoutMs,
      grants,
      lock,
      clock,
      onResendFailed: (error) => log.resendFailed(error),
    });

    // Every write that waits for its second attempt listens to the signal. Thousands of them are not a leak.
    setMaxListeners(0, this.closing.signal);
    const publisher = new TokenPublisher(records, clock, this.closing.signal);
    const statuses = new TenantStatuses({
      records,
      clock,
      keyOf: (tenantKey) => cacheKey(options, 'tenant_status', tenantKey),
    });
    const sharedByCache = {
      clock,
      records,
      publisher,
      tenants: options.appType === 'store' ? statuses : undefined,
      observer,
      acceptance: new TokenAcceptance(clock, random, refresh.aheadMs, observer),
      lock: new FlightLock({
        lock,
        clock,
        observer,
        ttlMs: refresh.lockTtlMs,
        waitMs: refresh.lockWaitMs,
        graceMs: 2 * refresh.storeTimeoutMs,
      }),
    };
    const sources = this.tokenSources(grants);
    this.users =
      options.users &&
      new UserEngine(
        { ...options, users: options.users },
        {
          cipher,
          journalRecords: options.cache && cipher ? records : undefined,
          clock,
          random,
          logger,
          onAttempt: (outcome, latencyMs) => observer.attempted('user', outcome, latencyMs),
          onChange: (openId) => this.forgetUser(openId),
        },
      );
    const userRenewal = this.users
      ? new UserRenewal({
          rotator: this.users.rotator,
          acceptance: sharedByCache.acceptance,
          observer,
          clock,
        })
      : new UsersNotConfigured();
    this.refresher = new TokenRefresher({
      clock,
      random,
      log,
      observer,
      renewals: forEachKind((kind) =>
        kind === 'user' ? userRenewal : new CacheRenewal(sharedByCache, sources[kind]),
      ),
    });
    this.slots = new SlotTable(maxTokens, (query) => {
      const { kind, identity } = query;
      const key = kind === 'user' ? loginKey(options, identity) : cacheKey(options, kind, identity);
      return new TokenSlot(query, key, this.metrics.readCounters(query.kind), clock);
    });
    this.reader = new TokenReader({
      appType: options.appType,
      slots: this.slots,
      clock,
      observer,
      refresher: this.refresher,
    });
    this.sweeper = new SlotSweeper({ slots: this.slots, clock, refresher: this.refresher });
    this.probeStore = async () => {
      await this.store.probe(this.keyInUse());
      // Not awaited: a lock of the application may hang.
      void lock.probe(`${this.keyInUse()}:probe-lock`);
      await publisher.shareAgain([...this.slots]);
      await this.tickets.shareAgain();
    };
    this.tenantRegistry = new TenantRegistry({
      key: cacheKey(options, 'tenants'),
      records,
      statuses,
      clock,
      maxTenants: maxTokens,
    });
    this.tenants = new TenantLifecycle({
      identity: options,
      statuses,
      registry: this.tenantRegistry,
      slots: this.slots,
      publisher,
    });
    const events = options.events && this.eventMetrics;
    this.metrics.attach({ store: this.store, lock, slots: this.slots, events, users: this.users });
    this.health = {
      instance: options.instance,
      appType: options.appType,
      metrics: this.metrics,
      slots: this.slots,
      hasTicket: () => this.tickets.hasTicket(),
    };
    this.telemetry = new EngineTelemetry(this.health, this.slots, this.store);
    this.tickets.onTicket(() => this.sweeper.endTicketPauses());
  }

  /** The app whose tokens these are, without the secret. */
  get owner(): TokenOwner {
    const { appId, appType, openOrigin } = this.options;
    return { appId, appType, openOrigin, tickets: this.tickets };
  }

  /** Ends renewals. Requests that the host still serves can read held tokens. @internal */
  async beforeApplicationShutdown(): Promise<void> {
    this.tickets.close();
    await this.refresher.close(CLOSE_GRACE_MS);
    await this.users?.close();
  }

  /** The host serves no more requests. @internal */
  onApplicationShutdown(): void {
    this.slots.close();
    this.closing.abort();
    this.store.close();
  }

  /** What this process holds of a user is out of date: the next read asks the store of logins. */
  private forgetUser(openId: string): void {
    const slot = this.slots.find('user', openId);
    const superseded = slot?.supersede();
    slot?.endPause();
    superseded?.abort('superseded');
  }

  /** A key for the probe of the store: in a cluster another key may be on another node. */
  private keyInUse(): string {
    for (const { kind, key } of this.slots) if (kind !== 'user') return key;
    return cacheKey(this.options, this.options.appType === 'store' ? 'app' : 'tenant');
  }

  private tokenSources(grants: TokenGrants): Record<'app' | 'tenant', TokenSource> {
    if (this.options.appType === 'self-built') {
      return {
        app: new CredentialsSource((signal) => grants.selfBuiltApp(signal)),
        tenant: new CredentialsSource((signal) => grants.selfBuiltTenant(signal)),
      };
    }
    const app = { kind: 'app' } as const;
    const appToken = {
      get: async (signal: AbortSignal) =>
        (await this.reader.getForOwnUse(this.reader.slotOf(app), signal)).value,
      reject: (value: string) => this.reader.invalidate(app, value),
    };
    return {
      app: new AppTicketSource(this.tickets, (ticket, signal) => grants.storeApp(ticket, signal)),
      tenant: new NeededTokenSource(appToken, (token, { identity }, signal) =>
        grants.storeTenant(token, identity, signal),
      ),
    };
  }
}
