import { type RefreshLease, type RefreshLock } from '../../lock/refresh-lock.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline, withSignal } from '../../time/deadline.js';
import { onAbort } from '../../time/on-abort.js';
import { type HeldToken } from '../slot/held-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { type TokenObserver } from '../token-observer.js';
import { type TokenFlight } from './token-flight.js';

/** How often a waiting flight looks into the store for the token of the lock's holder. */
const LOOK_EVERY_MS = 50;

/** Adopts the token in the store, if it is any use. */
type Look = () => Promise<HeldToken | undefined>;

/** @internal */
export interface FlightLockOptions {
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly observer: TokenObserver;
  readonly ttlMs: number;
  readonly waitMs: number;
  /** How long a lock may take to answer, beyond `waitMs`. */
  readonly graceMs: number;
}

/** Takes the fleet's lock for a flight, or lets the flight go on without it. */
export class FlightLock {
  constructor(private readonly options: FlightLockOptions) {}

  /**
   * Resolves with the lease; with `undefined` to go on without the lock; with `'contended'` to leave the renewal to the
   * holder; or with the token that `look` found.
   *
   * @param storeAnswers whether the store answers; if not, the token of the lock's holder could not be adopted
   * @param look adopts from the store while the flight waits, so that waiting flights need not take the lock in turn
   */
  async acquire(
    slot: TokenSlot,
    flight: TokenFlight,
    storeAnswers = true,
    look?: Look,
  ): Promise<RefreshLease | { token: HeldToken } | 'contended' | undefined> {
    const { clock, observer } = this.options;
    const startedAt = clock.monotonic();
    // A lock that shares the store's trouble would cost the callers another deadline, and save no call.
    if (!storeAnswers && flight.blocking) {
      observer.lockFailedOpen(0);
      return undefined;
    }
    // A flight without callers, and with time left, leaves the renewal to others.
    const mayWait = (): boolean =>
      flight.blocking || flight.purpose.after !== undefined || slot.freshness() === 'must-refresh';
    for (;;) {
      const waitMs = mayWait() ? this.options.waitMs : 0;
      const lease = await this.askAndLook(`${slot.key}:lock`, waitMs, flight.signal, look);
      const waited = clock.monotonic() - startedAt;
      if (typeof lease === 'object') {
        if ('token' in lease) observer.lockContended(waited);
        else observer.lockAcquired(waited);
        return lease;
      }
      flight.signal.throwIfAborted();
      if (lease === undefined && waitMs === 0) {
        if (mayWait()) continue;
        observer.lockContended();
        return 'contended';
      }
      // For app and tenant tokens the lock saves calls and guards nothing, so the flight goes on without it.
      observer.lockFailedOpen(waited);
      return undefined;
    }
  }

  /** Waits for the lock or for the token of its holder, whichever comes first. */
  private async askAndLook(
    key: string,
    waitMs: number,
    signal: AbortSignal,
    look: Look | undefined,
  ): Promise<RefreshLease | { token: HeldToken } | 'unavailable' | undefined> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    const stopListening = onAbort(signal, stop);
    const looking = waitMs > 0 && look ? this.lookUntil(over, look) : undefined;
    const lease = await this.ask(key, waitMs, over.signal);
    stop();
    stopListening();
    // A look in progress may still adopt a token, so it ends first.
    const token = await looking;
    if (typeof lease !== 'object') return token ? { token } : lease;
    const bounded = this.bounded(lease);
    if (!token) return bounded;
    await bounded.release();
    return { token };
  }

  /** Looks until it finds a token, which ends the wait for the lock. Never rejects. */
  private async lookUntil(over: AbortController, look: Look): Promise<HeldToken | undefined> {
    for (;;) {
      await this.options.clock.sleep(LOOK_EVERY_MS, over.signal);
      if (over.signal.aborted) return undefined;
      const token = await look().catch(() => undefined);
      if (!token) continue;
      over.abort();
      return token;
    }
  }

  /** Bounds the release: a lease that could not be released ends by its lifetime. */
  private bounded(lease: RefreshLease): RefreshLease {
    const { clock, graceMs } = this.options;
    const release = async (): Promise<void> => withDeadline(clock, lease.release(), graceMs, () => undefined);
    return { isHeld: () => lease.isHeld(), release: () => release().catch(() => undefined) };
  }

  private async ask(
    key: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<RefreshLease | 'unavailable' | undefined> {
    const { lock, clock, ttlMs, graceMs } = this.options;
    const asked = Promise.resolve().then(() => lock.acquire(key, { ttlMs, waitMs, signal }));
    try {
      return await withDeadline(clock, withSignal(asked, signal), waitMs + graceMs, () => 'unavailable');
    } catch {
      // A lease that arrives too late would keep other processes out, so it is released.
      asked.then((late) => late?.release()).catch(() => undefined);
      return 'unavailable';
    }
  }
}
