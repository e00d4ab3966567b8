import { EventEmitter } from 'node:events';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { CircuitBreaker, type BreakerState } from '../time/circuit-breaker.js';
import { type TokenCache } from './token-cache.js';

/** An operation that gave no answer: late, refused, or not sent because the breaker is open. */
export const UNAVAILABLE = Symbol('unavailable');
export type Unavailable = typeof UNAVAILABLE;

/** Calls to the shared store by how they ended. */
export interface StoreOperations {
  readonly operation: 'read' | 'write';
  readonly result: 'success' | 'error' | 'timeout';
  readonly count: number;
}

/** Faults are heard through it. Each store of a cache-manager cache is a Keyv and emits `error`; the cache emits `get`. */
interface Emitter {
  on?(event: 'error' | 'get', listener: (payload: never) => void): unknown;
  off?(event: 'error' | 'get', listener: (payload: never) => void): unknown;
}

/** What cache-manager tells of a read, and tells nowhere else: a Keyv that threw, a text that is no JSON. */
interface ReadEvent {
  readonly key: string;
  readonly error?: unknown;
}

/**
 * The cache behind a deadline and a breaker. `wrap()` of cache-manager is not used: it would make every caller of a
 * hung store hang. cache-manager and Keyv hide a broken store (`get` reads as a miss, `set` as done), so faults are
 * heard on the stores themselves and in the `get` event of cache-manager.
 */
export class SharedStore {
  reads = 0;
  writes = 0;
  errors = 0;
  timeouts = 0;
  private readonly results = {
    read: { success: 0, error: 0, timeout: 0 },
    write: { success: 0, error: 0, timeout: 0 },
  };
  private readonly circuitBreaker: CircuitBreaker;
  /** Faults that were heard; they do not say which operation they are of. */
  private heard = 0;
  /** Reads and writes up to the last probe. */
  private askedBefore = 0;
  /** The keys being read, and how many faults had been heard before. */
  private readonly reading = new Map<string, number>();
  private readonly onFault = (): void => {
    this.heard++;
    this.errors++;
  };
  private readonly onRead = ({ key, error }: ReadEvent): void => {
    if (error !== undefined && this.reading.get(key) === this.heard) this.onFault();
  };

  constructor(
    private readonly cache: TokenCache,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    this.circuitBreaker = new CircuitBreaker(clock);
    for (const store of this.faultyStores()) store.on?.('error', this.onFault);
    raiseMaxListeners((cache as Emitter).on?.('get', this.onRead));
  }

  get breaker(): BreakerState {
    return this.circuitBreaker.state;
  }

  operations(): StoreOperations[] {
    return (['read', 'write'] as const).flatMap((operation) =>
      (['success', 'error', 'timeout'] as const).map((result) => ({
        operation,
        result,
        count: this.results[operation][result],
      })),
    );
  }

  /** What is stored under `key`; `undefined` for nothing. Takes at most the deadline and never rejects. */
  async read(key: string): Promise<unknown> {
    this.reading.set(key, this.heard);
    try {
      return await this.attempt('reads', () => this.cache.get(key));
    } finally {
      this.reading.delete(key);
    }
  }

  /** Stores `value` for `ttlMs`, for ever without. Takes at most the deadline and never rejects. */
  async write(key: string, value: object, ttlMs?: number): Promise<void | Unavailable> {
    const written = await this.attempt('writes', () => this.cache.set(key, value, ttlMs));
    if (written === UNAVAILABLE) return UNAVAILABLE;
  }

  /** Removes what is under `key`, or writes `instead` for `ttlMs` over it where the cache has no `del`. */
  async remove(key: string, instead: object, ttlMs: number): Promise<void | Unavailable> {
    if (!this.cache.del) return this.write(key, instead, ttlMs);
    const removed = await this.attempt('writes', () => this.cache.del?.(key));
    if (removed === UNAVAILABLE) return UNAVAILABLE;
  }

  /**
   * Asks a store that did not answer, or was not asked since the last time: otherwise only the next renewal would find
   * out how it is.
   */
  async probe(key: string): Promise<void> {
    const isIdle = this.reads + this.writes === this.askedBefore;
    // One failure may be chance; so many that the breaker opens are none.
    if (isIdle || this.breaker !== 'closed') {
      while ((await this.read(key)) === UNAVAILABLE && this.breaker === 'closed');
    }
    this.askedBefore = this.reads + this.writes;
  }

  /** Counts what a store gave that it cannot have been given. */
  reportCorrupt(): void {
    this.errors++;
  }

  close(): void {
    for (const store of this.faultyStores()) store.off?.('error', this.onFault);
    (this.cache as Emitter).off?.('get', this.onRead);
  }

  private async attempt(counter: 'reads' | 'writes', operation: () => unknown): Promise<unknown> {
    if (!this.circuitBreaker.tryPass()) return UNAVAILABLE;
    this[counter]++;
    const results = this.results[counter === 'reads' ? 'read' : 'write'];
    const heardBefore = this.heard;
    try {
      const work = Promise.resolve().then(operation);
      const answer = await withDeadline(this.clock, work, this.timeoutMs, () => UNAVAILABLE);
      // A fault heard meanwhile means that this "miss" or "done" is none.
      const isFaulty = this.heard > heardBefore && (counter === 'writes' || answer === undefined);
      results[isFaulty ? 'error' : 'success']++;
      if (isFaulty) this.circuitBreaker.failed();
      else this.circuitBreaker.succeeded();
      return isFaulty ? UNAVAILABLE : (answer ?? undefined);
    } catch (error) {
      this.circuitBreaker.failed();
      results[error === UNAVAILABLE ? 'timeout' : 'error']++;
      if (error === UNAVAILABLE) this.timeouts++;
      else if (this.heard === heardBefore) this.errors++;
      return UNAVAILABLE;
    }
  }

  private faultyStores(): Emitter[] {
    const { stores } = this.cache as { stores?: unknown };
    // A Keyv is a cache by itself.
    if (!Array.isArray(stores)) return [this.cache as Emitter];
    return stores.filter((store: unknown) => typeof store === 'object' && store !== null);
  }
}

/** Many instances on one cache are no leak. @param emitter what cache-manager's `on` returns */
function raiseMaxListeners(emitter: unknown): void {
  if (emitter instanceof EventEmitter) emitter.setMaxListeners(emitter.getMaxListeners() + 1);
}
