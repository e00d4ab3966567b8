import { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { SystemClock } from '../time/system-clock.js';
import { checkedLimit, dueTimeOf } from '../users/store/due-time.js';
import { Earliest } from '../users/store/earliest.js';
import { storeFailure } from '../users/store/store-failure.js';
import { UserTokenStore } from '../users/store/user-token-store.js';
import { ClientWatch } from '../store/client-watch.js';
import { durabilityWarnings } from './redis-durability.js';
import { RedisConnection } from './redis-connection.js';
import { type RedisScriptClient } from './redis-lock-client.js';
import { DUE, DURABILITY, READ, REMOVE, WRITE } from './user-token-scripts.js';

const COMMAND_TIMEOUT_MS = 2_000;
const KEY_PREFIX = 'feishu-login';
/**
 * A record and its due date must be in one hash slot, so the due dates are in this many sets, each with the records of its
 * slot. Part of the stored format: another number would not find the records.
 */
const BUCKETS = 64;

/**
 * Options of {@link RedisUserTokenStore}.
 *
 * @publicApi
 */
export interface RedisUserTokenStoreOptions {
  /**
   * A node-redis (`@redis/client`) client, connected or not. The store connects it if it never was; it does not connect it
   * again after the application closed it.
   */
  client: RedisScriptClient;
  /** How long Redis may take to answer one command, connecting included, in milliseconds. @default 2000 */
  commandTimeoutMs?: number;
  /** For tests. @default the clock of the machine */
  clock?: Clock;
}

/**
 * Logins in Redis: one hash for each, changed by scripts, without a TTL.
 *
 * Redis must keep them: `appendonly yes`, `maxmemory-policy noeviction`, and with replicas `min-replicas-to-write 1`, because a
 * failover loses what no replica has. The store logs a warning at the start if persistence is off, or if a policy may evict
 * logins.
 *
 * Redis must allow its user the commands `EVAL`, `HMGET`, `HGET`, `HSET`, `DEL`, `ZADD`, `ZREM`, `ZRANGEBYSCORE` and `INFO` on the keys
 * `feishu-login:*`. Works on a Cluster.
 *
 * @example
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true });
 * FeishuAuthModule.forRoot({ ..., users: { store: new RedisUserTokenStore({ client }) } });
 *
 * @publicApi
 */
export class RedisUserTokenStore extends UserTokenStore {
  readonly #client: RedisScriptClient;
  readonly #connection: RedisConnection;
  readonly #logger = new Logger(RedisUserTokenStore.name);
  #isDurabilityChecked = false;

  /** @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` if an option is wrong */
  constructor({ client, commandTimeoutMs = COMMAND_TIMEOUT_MS, clock }: RedisUserTokenStoreOptions) {
    super();
    assertClient(client);
    if (!Number.isFinite(commandTimeoutMs) || commandTimeoutMs <= 0) {
      throw invalid('commandTimeoutMs must be a positive number of milliseconds');
    }
    this.#client = client;
    this.#connection = new RedisConnection(client, clock ?? new SystemClock(), commandTimeoutMs);
    if (client.isReady === true) this.#checkDurability();
    else {
      const stop = ClientWatch.of(client).onReady(() => {
        stop();
        this.#checkDurability();
      });
    }
  }

  async get(key: string): Promise<{ value: string; version: string } | undefined> {
    const answer = await this.#run('read', READ, [recordKey(key)], []);
    const [value, version] = Array.isArray(answer) ? (answer as unknown[]) : [];
    if (typeof value === 'string' && typeof version === 'string') return { value, version };
    if (isNothing(value) && isNothing(version)) return undefined;
    throw new TypeError('RedisUserTokenStore: the record of a login is not what this store wrote');
  }

  async put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: { dueAt?: Date | undefined },
  ): Promise<string | undefined> {
    const [version, dueAt] = [randomUUID(), String(dueTimeOf(options) ?? '')];
    // The script takes it for "must be absent"; no record has it.
    if (ifVersion === '') return undefined;
    const args = [ifVersion ?? '', version, value, dueAt, key];
    const isWritten = await this.#change('write', WRITE, key, args, value);
    return isWritten ? version : undefined;
  }

  async delete(key: string, ifVersion: string): Promise<boolean> {
    return this.#change('delete', REMOVE, key, [ifVersion, key]);
  }

  override async dueBefore(time: Date, limit: number): Promise<string[]> {
    const args = [String(time.getTime()), String(checkedLimit(limit))];
    const sets = Array.from({ length: BUCKETS }, (_, bucket) => dueKey(bucket));
    const answers = await Promise.all(sets.map((set) => this.#run('read', DUE, [set], args)));
    const earliest = new Earliest<string>(limit);
    for (const answer of answers as string[][]) {
      for (let i = 0; i + 1 < answer.length; i += 2) earliest.offer(Number(answer[i + 1]), answer[i] ?? '');
    }
    return earliest.items();
  }

  async #change(
    what: 'write' | 'delete',
    script: string,
    key: string,
    args: string[],
    value?: string,
  ): Promise<boolean> {
    const answer = await this.#run(what, script, [recordKey(key), dueKey(bucketOf(key))], args, value);
    if (Number(answer) === 1) return true;
    if (answer !== null && Number(answer) === 0) return false;
    throw new TypeError('RedisUserTokenStore: eval() of the client must resolve with the answer of Redis');
  }

  async #run(
    what: 'read' | 'write' | 'delete',
    script: string,
    keys: string[],
    args: string[],
    value?: string,
  ): Promise<unknown> {
    try {
      const answer = await this.#eval(script, keys, args);
      // A Cluster's client does not say when it is connected.
      this.#checkDurability();
      return answer;
    } catch (error) {
      throw storeFailure(`RedisUserTokenStore could not ${what} a login`, error, value);
    }
  }

  #eval(script: string, keys: string[], args: string[]): Promise<unknown> {
    return this.#connection.send(() => this.#client.eval(script, { keys, arguments: args }), {
      name: 'EVAL',
    });
  }

  /** Once, in the background. */
  #checkDurability(): void {
    if (this.#isDurabilityChecked) return;
    this.#isDurabilityChecked = true;
    void this.#warnAboutSettings();
  }

  async #warnAboutSettings(): Promise<void> {
    try {
      const info = String(await this.#eval(DURABILITY, [dueKey(0)], []));
      for (const warning of durabilityWarnings(info)) this.#logger.warn(warning);
    } catch (error) {
      const { message } = storeFailure('it does not tell its settings', error);
      this.#logger.warn(
        `Redis was not checked for settings that lose logins (${message}). It needs "appendonly yes" and "maxmemory-policy noeviction".`,
      );
    }
  }
}

const bucketOf = (key: string): number => (createHash('sha256').update(key).digest()[0] ?? 0) % BUCKETS;
const recordKey = (key: string): string => `${KEY_PREFIX}:{${bucketOf(key)}}:key:${key}`;
const dueKey = (bucket: number): string => `${KEY_PREFIX}:{${bucket}}:due`;

const isNothing = (value: unknown): boolean => value === null || value === undefined;

function assertClient(client: unknown): void {
  const methods = client as Record<string, unknown> | null | undefined;
  if (['connect', 'on', 'eval'].every((name) => typeof methods?.[name] === 'function')) return;
  throw invalid('client must be a client of @redis/client, such as createClient({ url })');
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', `RedisUserTokenStore: ${message}`);
}
