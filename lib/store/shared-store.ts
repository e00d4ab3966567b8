import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { innermostReason, isRefusal, ReasonError } from '../errors/innermost-reason.js';
import { CircuitBreaker, type BreakerState } from '../time/circuit-breaker.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { isClosedByApplication, sharedTierOf, storesOf } from './cache-tiers.js';
import { StoreCondition } from './store-condition.js';
import { StoreOperation, type OperationKind } from './store-operation.js';
import { type TokenCache } from './token-cache.js';

/** The operation has no answer: it was late, refused, or not sent. */
export const UNAVAILABLE = Symbol('unavailable');
export type Unavailable = typeof UNAVAILABLE;

/** Operations on the shared store by how they ended. */
export interface StoreOperations {
  readonly operation: OperationKind;
  readonly result: 'success' | 'error' | 'timeout';
  readonly count: number;
}

const TIMEOUT = Symbol('timeout');
const PROBE_TTL_MS = 60_000;
/** How many operations that failed before one probe tries again. */
const MAX_RETRIED = 3;
const MIN_SECRET_LENGTH = 8;
/** Refusals that concern the connection, and so every operation on it. */
const CONNECTION_REFUSAL = /^(?:NOAUTH|WRONGPASS|NOPERM|LOADING|MASTERDOWN|CLUSTERDOWN) /;

/** Each store of a cache-manager cache is a Keyv and emits `error`; the cache itself emits `get`. */
interface Emitter {
  on?(event: 'error' | 'get', listener: (payload: never) => void): unknown;
  off?(event: 'error' | 'get', listener: (payload: never) => void): unknown;
}

/** cache-manager reports a read that threw, such as a text that is not JSON, by this event only. */
interface ReadEvent {
  readonly error?: unknown;
}

export interface SharedStoreOptions {
  readonly cache: TokenCache;
  readonly clock: Clock;
  /** How long one operation may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the store stops working, with the reason, and when it works again, with `undefined`. */
  readonly onChange?: ((problem: string | undefined) => void) | undefined;
  readonly onBreaker?: ((state: BreakerState) => void) | undefined;
}

/**
 * The cache behind a deadline and a breaker. `wrap()` of cache-manager is not used: a store that hangs would hang all its
 * callers. cache-manager and Keyv hide a broken store: a read looks like a miss, a write like a success. So this class
 * listens to their events, and takes a fault as its own only if it happens during its operation.
 */
export class SharedStore {
  reads = 0;
  writes = 0;
  errors = 0;
  timeouts = 0;
  readonly #results = {
    read: { success: 0, error: 0, timeout: 0 },
    write: { success: 0, error: 0, timeout: 0 },
  };
  readonly #cache: TokenCache;
  readonly #options: SharedStoreOptions;
  readonly #stores: ReturnType<typeof storesOf>;
  readonly #breaker: CircuitBreaker;
  readonly #condition = new StoreCondition();
  /** A connection that an operation makes keeps the async context it was made in: not that of a renewal. */
  readonly #runOutside = AsyncLocalStorage.snapshot();
  /** Why the connection fails, as an event told that belongs to no operation. */
  #connectionError: unknown;
  #lastReason: string | undefined;
  #reportedProblem: string | undefined;
  #reportedBreaker: BreakerState = 'closed';
  /** Reads and writes up to the last probe. */
  #askedBefore = 0;
  readonly #onFault = (error: unknown): void => {
    const operation = StoreOperation.current();
    if (operation) operation.fault ??= error ?? 'unknown error';
    else if (concernsConnection(error)) this.#connectionError = error;
  };
  readonly #onRead = ({ error }: ReadEvent): void => {
    if (error !== undefined) this.#onFault(error);
  };

  constructor(options: SharedStoreOptions) {
    this.#options = options;
    this.#cache = sharedTierOf(options.cache);
    this.#stores = storesOf(options.cache);
    this.#breaker = new CircuitBreaker(options.clock);
    for (const store of this.#emitters()) store.on?.('error', this.#onFault);
    raiseMaxListeners((options.cache as Emitter).on?.('get', this.#onRead));
  }

  get breaker(): BreakerState {
    return this.#breaker.state;
  }

  operations(): StoreOperations[] {
    return (['read', 'write'] as const).flatMap((operation) =>
      (['success', 'error', 'timeout'] as const).map((result) => ({
        operation,
        result,
        count: this.#results[operation][result],
      })),
    );
  }

  /** Why the store does not work; `undefined` if it does. */
  get problem(): string | undefined {
    const { problem } = this.#condition;
    if (problem !== undefined || this.breaker === 'closed') return problem;
    return `operations fail: ${this.#lastReason}`;
  }

  /** The value under `key`; `undefined` for none. Takes `timeoutMs` at most and never rejects. */
  read(key: string): Promise<unknown> {
    return this.#attempt('read', key, () => this.#cache.get(key));
  }

  /** Stores `value` for `ttlMs`. Takes `timeoutMs` at most and never rejects. */
  async write(key: string, value: object, ttlMs: number): Promise<void | Unavailable> {
    const written = await this.#attempt('write', key, () => this.#cache.set(key, value, ttlMs), value);
    if (written === UNAVAILABLE) return UNAVAILABLE;
  }

  /** Removes the value under `key`; a cache without `del` gets `instead` for `ttlMs`. */
  async remove(key: string, instead: object, ttlMs: number): Promise<void | Unavailable> {
    if (!this.#cache.del) return this.write(key, instead, ttlMs);
    const removed = await this.#attempt('write', key, () => this.#cache.del?.(key));
    if (removed === UNAVAILABLE) return UNAVAILABLE;
  }

  /**
   * Tries what failed before, or reads `key` if nothing was asked since the last probe. Without it only the next renewal
   * would tell how the store is.
   */
  async probe(key: string): Promise<void> {
    const failing = this.#condition.problems().slice(0, MAX_RETRIED);
    const isIdle = this.reads + this.writes === this.#askedBefore;
    for (const failed of failing) await this.#retry(failed.kind, failed.key);
    if (failing.length === 0 && (isIdle || this.breaker !== 'closed')) {
      // One failure may be chance: tries until the store answers, or is known not to.
      while ((await this.read(key)) === UNAVAILABLE && this.problem === undefined);
    }
    this.#askedBefore = this.reads + this.writes;
  }

  /** Counts a value that this module cannot have written. */
  reportCorrupt(): void {
    this.errors++;
  }

  close(): void {
    for (const store of this.#emitters()) store.off?.('error', this.#onFault);
    (this.#options.cache as Emitter).off?.('get', this.#onRead);
  }

  async #retry(kind: OperationKind, key: string): Promise<void> {
    if (kind === 'read') await this.read(key);
    // In a cluster the braces in the key put this one on the same node.
    else await this.#attempt('write', key, () => this.#cache.set(`${key}:probe`, {}, PROBE_TTL_MS));
  }

  async #attempt(kind: OperationKind, key: string, work: () => unknown, value?: object): Promise<unknown> {
    if (!this.#breaker.tryPass()) return UNAVAILABLE;
    this.#reportBreaker();
    this[`${kind}s`]++;
    const operation = new StoreOperation();
    try {
      const answer = await this.#ask(operation, work);
      // A read that found a value has worked, even if a fault was reported.
      if (operation.fault !== undefined && (kind === 'write' || (answer ?? undefined) === undefined)) {
        throw operation.fault;
      }
      this.#succeeded(kind, key);
      return answer ?? undefined;
    } catch (error) {
      this.#failed(kind, key, error, operation.fault, value);
      return UNAVAILABLE;
    } finally {
      operation.end();
      this.#report();
    }
  }

  /** @throws TIMEOUT, or what the cache throws */
  async #ask(operation: StoreOperation, work: () => unknown): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const ask = (): unknown => {
      if (this.#stores.some(isClosedByApplication))
        throw new ReasonError('the application closed the Redis client');
      return work();
    };
    const asked = this.#runOutside(() => operation.run(ask));
    return withDeadline(clock, asked, timeoutMs, () => TIMEOUT);
  }

  #succeeded(kind: OperationKind, key: string): void {
    this.#results[kind].success++;
    this.#breaker.succeeded();
    this.#connectionError = undefined;
    this.#condition.succeeded(kind, key);
  }

  #failed(kind: OperationKind, key: string, error: unknown, fault: unknown, value?: object): void {
    const isTimeout = error === TIMEOUT;
    if (isTimeout) this.timeouts++;
    else this.errors++;
    this.#results[kind][isTimeout ? 'timeout' : 'error']++;
    const own = isTimeout ? undefined : innermostReason(error);
    // A refusal is an answer: the connection works.
    if (own !== undefined && isRefusal(own)) this.#breaker.succeeded();
    else this.#breaker.failed();
    const reason = this.#reasonOf(own, fault);
    const isLeak = value !== undefined && repeats(reason, value, key);
    this.#lastReason = isLeak ? 'the store refused the value' : reason;
    this.#condition.failed(kind, key, this.#lastReason, isRefusal(reason));
  }

  /** An operation that could not be sent does not know why; the connection does. */
  #reasonOf(own: string | undefined, fault: unknown): string {
    if (own !== undefined && isRefusal(own)) return own;
    const connectionError = this.#connectionError ?? (own === undefined ? fault : undefined);
    if (connectionError !== undefined) return innermostReason(connectionError);
    return own ?? `no answer within ${this.#options.timeoutMs} ms`;
  }

  #reportBreaker(): void {
    const { breaker } = this;
    if (breaker === this.#reportedBreaker) return;
    this.#reportedBreaker = breaker;
    this.#options.onBreaker?.(breaker);
  }

  #report(): void {
    this.#reportBreaker();
    const { problem } = this;
    if ((problem === undefined) === (this.#reportedProblem === undefined)) return;
    this.#reportedProblem = problem;
    this.#options.onChange?.(problem);
  }

  #emitters(): Emitter[] {
    return this.#stores as Emitter[];
  }
}

function concernsConnection(error: unknown): boolean {
  const reason = innermostReason(error);
  return !isRefusal(reason) || CONNECTION_REFUSAL.test(reason);
}

/** Whether an error message repeats what was to be stored. */
function repeats(text: string, value: object, key: string): boolean {
  return Object.values(value).some((part: unknown) => {
    if (typeof part === 'object' && part !== null) return repeats(text, part, key);
    return (
      typeof part === 'string' && part.length >= MIN_SECRET_LENGTH && part !== key && text.includes(part)
    );
  });
}

/** Each instance of the module on the same cache adds a listener, which is not a leak. */
function raiseMaxListeners(emitter: unknown): void {
  if (emitter instanceof EventEmitter) emitter.setMaxListeners(emitter.getMaxListeners() + 1);
}
