import { setMaxListeners } from 'node:events';
import { type ResolvedOptions } from './feishu-auth.options.js';
import { InProcessRefreshLock } from './lock/in-process-refresh-lock.js';
import { type RefreshLock } from './lock/refresh-lock.js';
import { EventMetrics } from './metrics/event-metrics.js';
import { TokenMetrics } from './metrics/token-metrics.js';
import { FeishuPlatformClient } from './platform/feishu-platform.client.js';
import { TokenGrants } from './platform/token-grants.js';
import { MemoryCache } from './store/memory-cache.js';
import { RecordCipher } from './store/record-cipher.js';
import { RecordStore } from './store/record-store.js';
import { SharedStore } from './store/shared-store.js';
import { AppTicketService } from './ticket/app-ticket.service.js';
import { type TokenOwner } from './token.service.js';
import { type Clock } from './time/clock.js';
import { type RandomSource } from './time/random-source.js';
import { FailureLog, type FailureLogger } from './tokens/renewal/failure-log.js';
import { FlightLock } from './tokens/renewal/flight-lock.js';
import { TenantLifecycle } from './tenants/tenant-lifecycle.js';
import { TenantRegistry } from './tenants/tenant-registry.js';
import { TenantStatuses } from './tenants/tenant-statuses.js';
import { TokenAcceptance } from './tokens/renewal/token-acceptance.js';
import { TokenPublisher } from './tokens/renewal/token-publisher.js';
import { cacheKey } from './tokens/token-query.js';
import { UserEngine } from './users/user-engine.js';
import { TokenReader } from './tokens/token-reader.js';
import { TokenRefresher } from './tokens/renewal/token-refresher.js';
import {
  SelfBuiltTokenSource,
  StoreAppTokenSource,
  type TokenSource,
} from './tokens/renewal/token-source.js';

/** Besides one record a token there are a few of the app's own. */
const APP_RECORDS = 8;
/** In memory, what a store app's tenants said of themselves must not push out their tokens. */
const STATUS_RECORDS = 1_000;

/** How long flights that are under way when the application closes get to end. */
const CLOSE_GRACE_MS = 1_000;

/** Everything of one instance that outlives a request, put together in one place; Nest sees it as one provider. */
export class FeishuAuthEngine {
  readonly metrics: TokenMetrics;
  readonly tickets: AppTicketService;
  readonly reader: TokenReader;
  readonly lock: RefreshLock;
  readonly eventMetrics = new EventMetrics();
  readonly tenants: TenantLifecycle;
  readonly tenantRegistry: TenantRegistry;
  readonly probeStore: () => Promise<void>;
  /** Absent without the option `users`. */
  readonly users: UserEngine | undefined;
  private readonly store: SharedStore;
  private readonly refresher: TokenRefresher;
  private readonly closing = new AbortController();

  constructor(
    readonly options: ResolvedOptions,
    readonly clock: Clock,
    random: RandomSource,
    logger: FailureLogger,
  ) {
    const { maxTokens, refresh, encryptionKeys, appId, appSecret } = options;
    const cache = options.cache ?? new MemoryCache(maxTokens + APP_RECORDS + STATUS_RECORDS, clock);
    const lock = options.lock ?? new InProcessRefreshLock({ clock });
    this.lock = lock;
    const log = new FailureLog(logger, clock);

    this.metrics = new TokenMetrics({ instance: options.instance, clock });
    this.store = new SharedStore(cache, clock, refresh.storeTimeoutMs);
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
    this.tickets = new AppTicketService({
      appType: options.appType,
      key: cacheKey(options, 'app_ticket'),
      records,
      grants,
      lock,
      clock,
      onResendFailed: (error) => log.resendFailed(error),
    });

    // Every write that is to be tried again listens to it: thousands are no leak.
    setMaxListeners(0, this.closing.signal);
    const publisher = new TokenPublisher(records, clock, this.closing.signal);
    const statuses = new TenantStatuses({
      records,
      clock,
      keyOf: (tenantKey) => cacheKey(options, 'tenant_status', tenantKey),
    });
    this.refresher = new TokenRefresher({
      clock,
      random,
      records,
      publisher,
      log,
      tenants: options.appType === 'store' ? statuses : undefined,
      observer: this.metrics,
      source: this.tokenSource(grants),
      intake: new TokenAcceptance(clock, random, refresh.aheadMs, this.metrics),
      lock: new FlightLock({
        lock,
        clock,
        observer: this.metrics,
        ttlMs: refresh.lockTtlMs,
        waitMs: refresh.lockWaitMs,
        graceMs: 2 * refresh.storeTimeoutMs,
      }),
    });
    this.reader = new TokenReader({
      identity: options,
      maxTokens,
      clock,
      publisher,
      observer: this.metrics,
      refresher: this.refresher,
    });
    this.probeStore = async () => {
      await this.store.probe(cacheKey(options, 'app'));
      await publisher.shareAgain([...this.reader.slots]);
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
      clock,
      records,
      statuses,
      registry: this.tenantRegistry,
      reader: this.reader,
      publisher,
    });
    this.users =
      options.users && new UserEngine({ ...options, users: options.users }, { cipher, clock, logger });
    const events = options.events && this.eventMetrics;
    this.metrics.attach({ store: this.store, slots: this.reader, events });
    this.tickets.onTicket(() => this.reader.endTicketCoolDown());
  }

  /** Whose tokens these are, without the secret. */
  get owner(): TokenOwner {
    const { appId, appType, openOrigin } = this.options;
    return { appId, appType, openOrigin, tickets: this.tickets };
  }

  /** Requests that the host still serves may read what is held; renewals end. @internal */
  async beforeApplicationShutdown(): Promise<void> {
    this.tickets.close();
    await this.refresher.close(CLOSE_GRACE_MS);
  }

  /** The host serves nothing any more. @internal */
  onApplicationShutdown(): void {
    this.reader.close();
    this.closing.abort();
    this.store.close();
  }

  private tokenSource(grants: TokenGrants): TokenSource {
    if (this.options.appType === 'self-built') return new SelfBuiltTokenSource(grants);
    const app = { kind: 'app' } as const;
    return new StoreAppTokenSource(grants, this.tickets, {
      get: async (signal) => (await this.reader.getForOwnUse(this.reader.slotOf(app), signal)).value,
      reject: (value) => this.reader.invalidate(app, value),
    });
  }
}
