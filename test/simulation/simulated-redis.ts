import { type RedisLockClient } from '../../lib/redis/redis-lock-client.js';
import { type TokenCache } from '../../lib/store/token-cache.js';
import { type PhaseLog } from './phase-log.js';
import { type SeededRandom } from './seeded-random.js';
import { type VirtualTime } from './virtual-time.js';

interface Entry {
  readonly value: unknown;
  readonly endsAt: number;
}

/** One Redis of the fleet, a network away: what cache-manager stores there, and the commands of `RedisRefreshLock`. */
export class SimulatedRedis {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    private readonly log: PhaseLog,
  ) {}

  readonly cache: TokenCache = {
    get: (key: string): Promise<unknown> => this.command(() => this.get(key)),
    set: (key: string, value: unknown, ttlMs = Infinity): Promise<unknown> =>
      this.command(() => this.set(key, value, ttlMs)),
  };

  readonly client: RedisLockClient = {
    isOpen: true,
    isReady: true,
    connect: () => Promise.resolve(),
    on: () => undefined,
    set: (key, value, { PX }) =>
      this.command(() => (this.get(key) === undefined ? this.set(key, value, PX) : null)),
    // Its one script: compare and delete.
    eval: (_script, { keys, arguments: [owner] }) =>
      this.command(() => keys.filter((key) => this.get(key) === owner && this.entries.delete(key)).length),
  };

  /** Half the way there, the command, half the way back. */
  private async command<T>(run: () => T): Promise<T> {
    this.log.current.redisCommands++;
    await this.time.sleep(this.random.between(0.25, 0.75));
    const answer = run();
    await this.time.sleep(this.random.between(0.25, 0.75));
    return answer;
  }

  private get(key: string): unknown {
    const entry = this.entries.get(key);
    return entry && this.time.now < entry.endsAt ? entry.value : undefined;
  }

  private set(key: string, value: unknown, ttlMs: number): 'OK' {
    this.entries.set(key, { value, endsAt: this.time.now + ttlMs });
    return 'OK';
  }
}
