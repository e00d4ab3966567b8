import { AsyncLocalStorage } from 'node:async_hooks';
import { FeishuAuthError, isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline } from '../../time/deadline.js';
import { type RandomSource } from '../../time/random-source.js';
import { type TokenKind } from '../access-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { type FailureLog } from './failure-log.js';
import { type RenewalObserver } from './renewal-observer.js';
import { flightBegan, flightContext, flightEnded } from './flight-context.js';
import { type Renewal } from './renewal.js';
import { TokenFlight, type FlightEnd, type FlightPurpose } from './token-flight.js';

/** Bounds everything that a caller waits for. */
const BLOCKING_DEADLINE_MS = 8_000;

/** @internal */
export interface RefresherDependencies {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly renewals: Readonly<Record<TokenKind, Renewal>>;
  readonly log: FailureLog;
  readonly observer?: RenewalObserver | undefined;
}

/** Starts flights, and tells their slots how they ended. */
export class TokenRefresher {
  /** A flight starts outside the first caller's async context, or it would keep that request alive. */
  private readonly runOutside = AsyncLocalStorage.snapshot();
  private readonly active = new Set<TokenFlight>();
  private closed: FeishuAuthError | undefined;

  constructor(private readonly deps: RefresherDependencies) {}

  /** Starts the slot's flight. The slot has none, except the superseded one in `purpose.after`. */
  start(slot: TokenSlot, purpose: FlightPurpose = { trigger: 'background' }): TokenFlight {
    // In the caller's async context, so that the observer can see who waits.
    const ended = this.deps.observer?.renewalStarted(slot.kind, purpose.trigger);
    const within = new Set(flightContext.getStore()).add(slot.key);
    const flight = this.runOutside(() =>
      flightContext.run(within, () => {
        return new TokenFlight(slot.generation, purpose, this.deps.clock, BLOCKING_DEADLINE_MS, {
          body: (self) => this.fly(slot, self),
          landed: (self, end) => {
            this.landed(slot, self, end);
            ended?.(end);
          },
          failed: (self, error) => {
            const told = this.failed(slot, self, error);
            ended?.(told);
            return told;
          },
        });
      }),
    );
    slot.beginFlight(flight);
    this.active.add(flight);
    if (this.closed) flight.abort(this.closed);
    flightBegan();
    void flight.settled.finally(() => {
      flightEnded();
      this.active.delete(flight);
    });
    return flight;
  }

  /** An API rejected `value`: no other process may adopt it. */
  withdraw(slot: TokenSlot, value: string): Promise<void> {
    return this.deps.renewals[slot.kind].withdraw(slot, value);
  }

  /** Gives the flights under way `graceMs` to end, then aborts them. */
  async close(graceMs: number): Promise<void> {
    const closed = new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed');
    this.closed = closed;
    const ended = Promise.all([...this.active].map((flight) => flight.settled));
    await withDeadline(this.deps.clock, ended, graceMs, () => closed).catch(() => undefined);
    for (const flight of this.active) flight.abort(closed);
  }

  private async fly(slot: TokenSlot, flight: TokenFlight): Promise<FlightEnd> {
    await flight.purpose.after?.settled;
    flight.signal.throwIfAborted();
    return this.deps.renewals[slot.kind].fly(slot, flight);
  }

  private landed(slot: TokenSlot, flight: TokenFlight, end: FlightEnd): void {
    if (!slot.endFlight(flight) || end === 'superseded') return;
    if (end === 'contended') {
      slot.contended(this.deps.random.next());
      return;
    }
    slot.succeeded();
    this.deps.log.succeeded(slot);
  }

  private failed(slot: TokenSlot, flight: TokenFlight, cause: unknown): FeishuAuthError {
    const error = toFeishuAuthError(cause);
    if (!slot.endFlight(flight) || error.code === 'ERR_FEISHU_CLOSED') return error;
    const told = slot.failed(error, flight.blocking, this.deps.random.next());
    this.deps.log.failed(slot, told);
    return told;
  }
}

/** The fetch, cache or lock of the host may throw anything; callers get one class of error. */
function toFeishuAuthError(error: unknown): FeishuAuthError {
  if (isFeishuAuthError(error)) return error;
  return new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the renewal failed unexpectedly', {
    retryable: true,
    cause: error,
  });
}
