import { type RefreshLease, type RefreshLock } from '../../lock/refresh-lock.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline, withSignal } from '../../time/deadline.js';
import { type HeldToken } from '../slot/held-token.js';
import { type TokenFlight } from './token-flight.js';
import { type TokenObserver } from '../token-observer.js';
import { type TokenSlot } from '../slot/token-slot.js';

/** Between two looks at what the holder of the lock may have stored by now. */
const LOOK_EVERY_MS = 50;

/** Takes over what the store holds by now, if it is any use. */
type Look = () => Promise<HeldToken | undefined>;

/** @internal */
export interface FlightLockOptions {
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly observer: TokenObserver;
  readonly ttlMs: number;
  readonly waitMs: number;
  /** Beyond `waitMs`, how long a lock may take to answer at all. */
  readonly graceMs: number;
}

/** How a flight comes by the fleet's lock, or does without. */
export class FlightLock {
  constructor(private readonly options: FlightLockOptions) {}

  /**
   * The lease; `undefined` to go on without; `'contended'` to leave the work to whoever has it; or the token that `look`
   * found meanwhile.
   *
   * @param isShared whether the store answers: one that does not shows no waiter what the lock's holder fetched
   * @param look into the store, now and then: or all who wait would have to take the lock in turn to find it
   */
  async acquire(
    slot: TokenSlot,
    flight: TokenFlight,
    isShared = true,
    look?: Look,
  ): Promise<RefreshLease | { token: HeldToken } | 'contended' | undefined> {
    const { clock, observer } = this.options;
    const startedAt = clock.monotonic();
    // Callers wait: a lock in the same trouble as the store would cost them its deadline on top, and save no call.
    if (!isShared && flight.blocking) {
      observer.lockFailedOpen(0);
      return undefined;
    }
    // Only a flight that nobody waits for and that has time may leave the work to others.
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
      // For app and tenant tokens the lock saves calls and guards nothing. This is the one place for that choice.
      observer.lockFailedOpen(waited);
      return undefined;
    }
  }

  /** Waits for the lock, and for what its holder stores: whichever comes first. */
  private async askAndLook(
    key: string,
    waitMs: number,
    signal: AbortSignal,
    look: Look | undefined,
  ): Promise<RefreshLease | { token: HeldToken } | 'unavailable' | undefined> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    const looking = waitMs > 0 && look ? this.lookUntil(over, look) : undefined;
    const lease = await this.ask(key, waitMs, over.signal);
    stop();
    signal.removeEventListener('abort', stop);
    // A look under way ends first: what it takes over must not come between.
    const token = await looking;
    if (typeof lease !== 'object') return token ? { token } : lease;
    const bounded = this.bounded(lease);
    if (!token) return bounded;
    await bounded.release();
    return { token };
  }

  /** What `look` finds at last, which ends the waiting for the lock. Never rejects. */
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

  /** A lock that does not take its lease back must not hold up what comes next: the lease runs out by itself. */
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
      // A lease that comes after we gave up on it must not lock anybody out.
      asked.then((late) => late?.release()).catch(() => undefined);
      return 'unavailable';
    }
  }
}
