import { CircuitBreaker } from '../time/circuit-breaker.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';

/**
 * The part of a node-redis client that is used: `createClient()`, `createClientPool()`, `createSentinel()` and
 * `createCluster()` of `@redis/client` all have it, and an ioredis client has it behind a small adapter. Written down
 * here, so that the version of your client is yours to choose.
 *
 * @publicApi
 */
export interface RedisLockClient {
  /** Whether `connect()` was called and the client not closed since. */
  readonly isOpen: boolean;
  /** Whether commands reach the server now. Absent where one connection is not all there is. */
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  on(event: 'error' | 'ready', listener: () => void): unknown;
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/**
 * Commands to a Redis that may be gone, frozen or not there yet: each has a deadline, because node-redis's own does not
 * fire for what was sent, and none is sent while the breaker is open.
 *
 * @internal
 */
export class RedisConnection {
  private readonly breaker: CircuitBreaker;
  private readonly waiting = new Set<() => void>();
  private connecting: Promise<unknown> | undefined;

  /** @param timeoutMs how long one command may take, connecting included */
  constructor(
    private readonly client: RedisLockClient,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    this.breaker = new CircuitBreaker(clock);
    // An `error` event that nobody listens to ends the process; what it says comes back as a failed command, too.
    client.on('error', () => undefined);
    client.on('ready', () => {
      for (const wake of this.waiting) wake();
    });
  }

  /**
   * What `command` resolves with.
   *
   * @param onLate told what it resolves with after we gave up on it
   * @throws Error when Redis refuses, cannot be reached, or does not answer in time
   */
  async send<T>(command: () => Promise<T>, onLate?: (answer: T) => void): Promise<T> {
    if (!this.breaker.tryPass()) throw new Error('Redis did not answer before and is left alone for now');
    const gaveUp = new AbortController();
    const tooLate = (): Error => {
      gaveUp.abort();
      return new Error(`Redis did not answer within ${this.timeoutMs} ms`);
    };
    const work = this.ready(gaveUp.signal).then(command);
    try {
      const answer = await withDeadline(this.clock, work, this.timeoutMs, tooLate);
      this.breaker.succeeded();
      return answer;
    } catch (error) {
      this.breaker.failed();
      if (gaveUp.signal.aborted) this.listenOn(work, onLate).catch(() => undefined);
      throw error;
    }
  }

  /** An answer after all shows that Redis is back. */
  private async listenOn<T>(work: Promise<T>, onLate: ((answer: T) => void) | undefined): Promise<void> {
    const answer = await work;
    this.breaker.succeeded();
    onLate?.(answer);
  }

  /** Resolves when commands reach the server, so that none waits in the client's offline queue; never after `signal`. */
  private async ready(signal: AbortSignal): Promise<void> {
    if (!this.client.isOpen) this.connect();
    if (this.client.isReady === true) return;
    if (this.client.isReady === undefined) await this.connecting;
    else await this.nextReady(signal);
    signal.throwIfAborted();
  }

  private connect(): void {
    const connecting = this.client.connect().finally(() => {
      if (this.connecting === connecting) this.connecting = undefined;
    });
    // Who waits for it sees it fail; who does not must not crash the process.
    connecting.catch(() => undefined);
    this.connecting = connecting;
  }

  private nextReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
