import { randomUUID } from 'node:crypto';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { assertLockOptions } from '../lock/lock-arguments.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from '../lock/refresh-lock.js';
import { type Clock } from '../time/clock.js';
import { type RandomSource, SystemRandomSource } from '../time/random-source.js';
import { SystemClock } from '../time/system-clock.js';
import { RedisConnection } from './redis-connection.js';
import { type RedisLockClient } from './redis-lock-client.js';

const COMMAND_TIMEOUT_MS = 250;
/** The pause between two tries for a key that is taken, times U(0.5, 1.5). */
const RETRY_INTERVAL_MS = 50;

/** Deletes the key only if it has our value: after the lease ended, another process may have the key. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/**
 * Options of {@link RedisRefreshLock}.
 *
 * @publicApi
 */
export interface RedisRefreshLockOptions {
  /**
   * A node-redis (`@redis/client`) client, connected or not. The lock connects it if it never was; it does not connect it
   * again after the application closed it. The client of `@keyv/redis` may be used.
   */
  client: RedisLockClient;
  /** How long Redis may take to answer one command, connecting included, in milliseconds. @default 250 */
  commandTimeoutMs?: number;
  /** For tests. @default the clock of the machine */
  clock?: Clock;
  /** For tests. @default `Math.random` */
  random?: RandomSource;
}

/**
 * The lock of a fleet: one key on one Redis, taken by `SET NX PX` with a random value and released by compare-and-delete.
 * Written here because no maintained library supports node-redis on Node 20 and has a wait with an end.
 *
 * The lock only saves calls to Feishu. So one server is enough, and a failover that loses locks does no harm.
 *
 * Redis must allow its user the commands `SET`, `EVAL`, `GET` and `DEL` on the keys `<keyPrefix>:*`.
 *
 * @example
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true });
 * FeishuAuthModule.forRoot({ ..., cache: createCache({ stores: [createKeyv(client)] }), lock: new RedisRefreshLock({ client }) });
 *
 * @publicApi
 */
export class RedisRefreshLock extends RefreshLock {
  readonly #client: RedisLockClient;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #connection: RedisConnection;

  /** @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` if an option is wrong */
  constructor(options: RedisRefreshLockOptions) {
    super();
    const { client, commandTimeoutMs = COMMAND_TIMEOUT_MS, clock, random } = options;
    assertClient(client);
    assertTimeout(commandTimeoutMs);
    this.#client = client;
    this.#clock = clock ?? new SystemClock();
    this.#random = random ?? new SystemRandomSource();
    this.#connection = new RedisConnection(client, this.#clock, commandTimeoutMs);
  }

  /** Why the lock does not work at the moment; `undefined` if it does. */
  override problem(): string | undefined {
    return this.#connection.problem;
  }

  async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    assertLockOptions(options);
    const { ttlMs, waitMs, signal } = options;
    const giveUpAt = this.#clock.monotonic() + waitMs;
    for (;;) {
      if (signal?.aborted) return undefined;
      const lease = await this.#tryAcquire(key, ttlMs);
      if (lease && !signal?.aborted) return lease;
      await lease?.release();
      const remainingMs = giveUpAt - this.#clock.monotonic();
      if (remainingMs <= 0) return undefined;
      const pauseMs = RETRY_INTERVAL_MS * (0.5 + this.#random.next());
      await this.#clock.sleep(Math.min(pauseMs, remainingMs), signal);
    }
  }

  override async claim(key: string, ttlMs: number): Promise<boolean> {
    assertLockOptions({ ttlMs, waitMs: 0 });
    return this.#connection.send(() => this.#setIfAbsent(key, randomUUID(), ttlMs), { name: 'SET' });
  }

  async #tryAcquire(key: string, ttlMs: number): Promise<RefreshLease | undefined> {
    const owner = randomUUID();
    // Counted from before the command, so that our lease ends no later than the key.
    const endsAt = this.#clock.monotonic() + ttlMs;
    const lease = new Lease(this.#clock, endsAt, () => this.#release(key, owner));
    const isGranted = await this.#connection.send(() => this.#setIfAbsent(key, owner, ttlMs), {
      name: 'SET',
      // A lease that is granted after the deadline has no owner, and every process would wait for its end.
      onLate: (isGrantedLate) => isGrantedLate && void lease.release(),
    });
    return isGranted ? lease : undefined;
  }

  async #setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    const answer = await this.#client.set(key, value, { NX: true, PX: Math.max(1, Math.ceil(ttlMs)) });
    return answer !== null && answer !== undefined;
  }

  async #release(key: string, owner: string): Promise<void> {
    await this.#connection.send(() => this.#client.eval(RELEASE, { keys: [key], arguments: [owner] }), {
      name: 'EVAL',
    });
  }
}

class Lease implements RefreshLease {
  readonly #clock: Clock;
  readonly #endsAt: number;
  readonly #release: () => Promise<void>;
  #isReleased = false;

  constructor(clock: Clock, endsAt: number, release: () => Promise<void>) {
    this.#clock = clock;
    this.#endsAt = endsAt;
    this.#release = release;
  }

  isHeld(): boolean {
    return !this.#isReleased && this.#clock.monotonic() < this.#endsAt;
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // A lease that cannot be released ends by its TTL.
    await this.#release().catch(() => undefined);
  }
}

function assertClient(client: unknown): void {
  const methods = client as Record<string, unknown> | null | undefined;
  if (['connect', 'on', 'set', 'eval'].every((name) => typeof methods?.[name] === 'function')) return;
  throw invalid('client must be a client of @redis/client, such as createClient({ url })');
}

function assertTimeout(commandTimeoutMs: number): void {
  if (Number.isFinite(commandTimeoutMs) && commandTimeoutMs > 0) return;
  throw invalid('commandTimeoutMs must be a positive number of milliseconds');
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', `RedisRefreshLock: ${message}`);
}
