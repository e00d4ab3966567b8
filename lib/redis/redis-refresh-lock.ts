import { randomUUID } from 'node:crypto';
import { type Clock } from '../time/clock.js';
import { type RandomSource, SystemRandomSource } from '../time/random-source.js';
import { SystemClock } from '../time/system-clock.js';
import { RedisConnection, type RedisLockClient } from './redis-connection.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from '../lock/refresh-lock.js';

const COMMAND_TIMEOUT_MS = 250;
/** Between two looks at a key that is taken, times U(0.5, 1.5). */
const LOOK_EVERY_MS = 50;

/** Deletes the key only while it is ours: after the lease ran out it may be somebody else's. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/**
 * @publicApi
 */
export interface RedisRefreshLockOptions {
  /** A node-redis (`@redis/client`) client, connected or not; the one that `@keyv/redis` uses will do. */
  client: RedisLockClient;
  /** How long Redis may take to answer one command, connecting included, in milliseconds. @default 250 */
  commandTimeoutMs?: number;
  /** For tests; the machine's own by default. */
  clock?: Clock;
  /** For tests; `Math.random` by default. */
  random?: RandomSource;
}

/**
 * The lock of a fleet: one key on one Redis, `SET NX PX` with a random owner, released by compare-and-delete. Our own,
 * because no kept library has both node-redis on Node 20 and a wait that is bounded and then given up.
 *
 * It saves calls and guards nothing, so one server is enough, and a Redis that fails over loses it without harm.
 * `acquire` rejects when Redis could not be asked; the caller goes on without the lock.
 *
 * @example
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true });
 * FeishuAuthModule.forRoot({ ..., cache: createCache({ stores: [createKeyv(client)] }), lock: new RedisRefreshLock({ client }) });
 *
 * @publicApi
 */
export class RedisRefreshLock extends RefreshLock {
  private readonly client: RedisLockClient;
  private readonly clock: Clock;
  private readonly random: RandomSource;
  private readonly link: RedisConnection;

  constructor({ client, commandTimeoutMs, clock, random }: RedisRefreshLockOptions) {
    super();
    this.client = client;
    this.clock = clock ?? new SystemClock();
    this.random = random ?? new SystemRandomSource();
    this.link = new RedisConnection(client, this.clock, commandTimeoutMs ?? COMMAND_TIMEOUT_MS);
  }

  async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const { ttlMs, waitMs, signal } = options;
    const giveUpAt = this.clock.monotonic() + waitMs;
    for (;;) {
      if (signal?.aborted) return undefined;
      const lease = await this.tryAcquire(key, ttlMs);
      if (lease && !signal?.aborted) return lease;
      await lease?.release();
      const remaining = giveUpAt - this.clock.monotonic();
      if (remaining <= 0) return undefined;
      const pause = LOOK_EVERY_MS * (0.5 + this.random.next());
      await this.clock.sleep(Math.min(pause, remaining), signal);
    }
  }

  private async tryAcquire(key: string, ttlMs: number): Promise<RefreshLease | undefined> {
    const owner = randomUUID();
    // From before it is asked for, so that ours ends no later than the server's.
    const endsAt = this.clock.monotonic() + ttlMs;
    const lease = new Lease(this.clock, endsAt, () => this.release(key, owner));
    const isGranted = (answer: unknown): boolean => answer !== null && answer !== undefined;
    const answer = await this.link.send(
      () => this.client.set(key, owner, { NX: true, PX: Math.max(1, Math.ceil(ttlMs)) }),
      // Granted after we gave up on it: nobody would release it, and everybody would wait for it.
      (late) => isGranted(late) && void lease.release(),
    );
    return isGranted(answer) ? lease : undefined;
  }

  private async release(key: string, owner: string): Promise<void> {
    await this.link.send(() => this.client.eval(RELEASE, { keys: [key], arguments: [owner] }));
  }
}

class Lease implements RefreshLease {
  private released = false;

  constructor(
    private readonly clock: Clock,
    private readonly endsAt: number,
    private readonly free: () => Promise<void>,
  ) {}

  isHeld(): boolean {
    return !this.released && this.clock.monotonic() < this.endsAt;
  }

  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    // A lease that cannot be taken back runs out by itself.
    await this.free().catch(() => undefined);
  }
}
