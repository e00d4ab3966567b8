import { type RefreshLease, type RefreshLock } from '../lock/refresh-lock.js';
import { type Clock } from '../time/clock.js';
import { withDeadline, withSignal } from '../time/deadline.js';
import { type TokenFlight } from './token-flight.js';
import { type TokenObserver } from './token-observer.js';
import { type TokenSlot } from './token-slot.js';

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
   * The lease; `undefined` to go on without; `'contended'` to leave the work to whoever has it.
   *
   * @param isShared whether the store answers: one that does not shows no waiter what the lock's holder fetched
   */
  async acquire(
    slot: TokenSlot,
    flight: TokenFlight,
    isShared = true,
  ): Promise<RefreshLease | 'contended' | undefined> {
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
      const lease = await this.ask(`${slot.key}:lock`, waitMs, flight.signal);
      const waited = clock.monotonic() - startedAt;
      if (typeof lease === 'object') {
        observer.lockAcquired(waited);
        return this.bounded(lease);
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
