import { AsyncLocalStorage } from 'node:async_hooks';
import { innermostReason, isRefusal, ReasonError } from '../errors/innermost-reason.js';
import { ClientWatch } from '../store/client-watch.js';
import { CircuitBreaker } from '../time/circuit-breaker.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { onAbort } from '../time/on-abort.js';
import { type RedisScriptClient } from './redis-lock-client.js';

/** What a caller wants to know of a command beyond its answer. */
export interface CommandOptions<T> {
  /** The command, as error messages name it. */
  readonly name: string;
  /** Called with an answer that came after the deadline. */
  readonly onLate?: (answer: T) => void;
}

/**
 * Sends commands to a Redis that may be down, frozen or not connected yet. Each command has a deadline, because that of
 * node-redis does not cover commands that were sent. While the breaker is open, nothing is sent.
 */
export class RedisConnection {
  readonly #client: RedisScriptClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #breaker: CircuitBreaker;
  readonly #watch: ClientWatch;
  /** By command: why its last try failed. */
  readonly #problems = new Map<string, string>();
  /** A connection keeps the async context it was made in, so it is not made in that of a command. */
  readonly #runOutside = AsyncLocalStorage.snapshot();
  #connecting: Promise<unknown> | undefined;

  /** @param timeoutMs how long one command may take, connecting included */
  constructor(client: RedisScriptClient, clock: Clock, timeoutMs: number) {
    this.#client = client;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#breaker = new CircuitBreaker(clock);
    this.#watch = ClientWatch.of(client);
  }

  /** Why Redis does not do what it is asked to; `undefined` if all commands worked the last time. */
  get problem(): string | undefined {
    const [first] = this.#problems.values();
    return first;
  }

  /**
   * @returns the answer of `command`
   * @throws Error if Redis refuses the command, cannot be reached, or does not answer in time
   */
  async send<T>(command: () => Promise<T>, { name, onLate }: CommandOptions<T>): Promise<T> {
    if (!this.#breaker.tryPass()) {
      throw new ReasonError(
        `${name} was not sent: Redis did not answer before (${this.problem ?? 'no reason'})`,
      );
    }
    const gaveUp = new AbortController();
    const tooLate = (): Error => {
      gaveUp.abort();
      return this.#tooLate();
    };
    const work = this.#ready(gaveUp.signal).then(command);
    try {
      const answer = await withDeadline(this.#clock, work, this.#timeoutMs, tooLate);
      this.#succeeded(name);
      return answer;
    } catch (error) {
      this.#failed(name, error);
      if (gaveUp.signal.aborted) this.#awaitLate(work, name, onLate).catch(() => undefined);
      throw error;
    }
  }

  #succeeded(name: string): void {
    this.#breaker.succeeded();
    this.#problems.delete(name);
  }

  #failed(name: string, error: unknown): void {
    const reason = innermostReason(error);
    this.#problems.set(name, `${name}: ${reason}`);
    // A refusal is an answer: the connection works.
    if (isRefusal(reason)) this.#breaker.succeeded();
    else this.#breaker.failed();
  }

  /** A late answer shows that Redis is back. */
  async #awaitLate<T>(
    work: Promise<T>,
    name: string,
    onLate: ((answer: T) => void) | undefined,
  ): Promise<void> {
    const answer = await work;
    this.#succeeded(name);
    onLate?.(answer);
  }

  /** Resolves when commands reach the server, so that none waits in the queue of the client. */
  async #ready(signal: AbortSignal): Promise<void> {
    if (this.#client.isReady === true) return;
    if (this.#watch.isClosed()) throw new ReasonError('the application closed the Redis client');
    if (!this.#client.isOpen) this.#connect();
    if (this.#client.isReady === undefined) await this.#connecting;
    else await this.#nextReady(signal);
    signal.throwIfAborted();
  }

  #connect(): void {
    const connecting = this.#runOutside(() => this.#client.connect()).finally(() => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    });
    // A command that waits for the connection sees the failure.
    connecting.catch(() => undefined);
    this.#connecting = connecting;
  }

  #nextReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stops = [this.#watch.onReady(done), onAbort(signal, done)];
      function done(): void {
        for (const stop of stops) stop();
        resolve();
      }
    });
  }

  #tooLate(): Error {
    const { lastError } = this.#watch;
    if (lastError === undefined) return new ReasonError(`no answer within ${this.#timeoutMs} ms`);
    return new ReasonError(`not connected: ${innermostReason(lastError)}`);
  }
}
