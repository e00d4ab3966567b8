import { AsyncLocalStorage } from 'node:async_hooks';
import { FeishuAuthError, isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type RefreshLease } from '../../lock/refresh-lock.js';
import { type RecordStore } from '../../store/record-store.js';
import { UNAVAILABLE } from '../../store/shared-store.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline } from '../../time/deadline.js';
import { type RandomSource } from '../../time/random-source.js';
import { type FailureLog } from './failure-log.js';
import { paceAfterContention, paceAfterFailure } from './failure-pacing.js';
import { flightBegan, flightContext, flightEnded } from './flight-context.js';
import { type FlightLock } from './flight-lock.js';
import { type HeldToken } from '../slot/held-token.js';
import { TokenFlight, type FlightEnd, type FlightPurpose } from './token-flight.js';
import { type TokenAcceptance } from './token-acceptance.js';
import { tenantStopped, type TenantStatuses } from '../../tenants/tenant-statuses.js';
import { type AttemptOutcome, type TokenObserver } from '../token-observer.js';
import { type TokenPublisher } from './token-publisher.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { type TokenSource } from './token-source.js';

/** One deadline bounds everything that a caller waits for. */
const BLOCKING_DEADLINE_MS = 8_000;
/** Pauses before a blocking flight tries a transient failure again. */
const RETRY_PAUSES_MS = [200, 600];

/** @internal */
export interface RefresherDependencies {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly records: RecordStore;
  readonly lock: FlightLock;
  readonly source: TokenSource;
  readonly intake: TokenAcceptance;
  readonly publisher: TokenPublisher;
  readonly observer: TokenObserver;
  readonly log: FailureLog;
  /** A store app's; a self-built app has one tenant, which does not come and go. */
  readonly tenants: TenantStatuses | undefined;
}

/** One flight: adopt -> lock -> re-check -> fetch -> publish. */
export class TokenRefresher {
  /** Flights begin outside the first caller's async context, or its request would live as long as they do. */
  private readonly runOutside = AsyncLocalStorage.snapshot();
  private readonly active = new Set<TokenFlight>();
  private closed: FeishuAuthError | undefined;

  constructor(private readonly deps: RefresherDependencies) {}

  /** Starts the slot's flight. The slot has none, or `purpose.after` is the one that was called off. */
  start(slot: TokenSlot, purpose: FlightPurpose = {}): TokenFlight {
    const within = new Set(flightContext.getStore()).add(slot.key);
    const flight = this.runOutside(() =>
      flightContext.run(within, () => {
        return new TokenFlight(slot.generation, purpose, this.deps.clock, BLOCKING_DEADLINE_MS, {
          body: (self) => this.fly(slot, self),
          landed: (self, end) => this.landed(slot, self, end),
          failed: (self, error) => this.failed(slot, self, error),
        });
      }),
    );
    slot.flight = flight;
    this.active.add(flight);
    if (this.closed) flight.abort(this.closed);
    flightBegan();
    void flight.settled.finally(() => {
      flightEnded();
      this.active.delete(flight);
    });
    return flight;
  }

  /** Gives flights that are under way `graceMs` to end, then ends them. */
  async close(graceMs: number): Promise<void> {
    const closed = new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed');
    this.closed = closed;
    const ended = Promise.all([...this.active].map((flight) => flight.settled));
    await withDeadline(this.deps.clock, ended, graceMs, () => closed).catch(() => undefined);
    for (const flight of this.active) flight.abort(closed);
  }

  private async fly(slot: TokenSlot, flight: TokenFlight): Promise<FlightEnd> {
    const { source, lock, observer } = this.deps;
    await flight.purpose.after?.settled;
    flight.signal.throwIfAborted();

    const found = await this.adopt(slot, flight, this.deps.tenants);
    if (found.token) return { token: found.token };
    const prepared = await source.prepare(slot, flight, found.answered);
    flight.signal.throwIfAborted();
    const look = async (): Promise<HeldToken | undefined> => (await this.adopt(slot, flight)).token;
    const lease = await lock.acquire(slot, flight, found.answered, look);
    if (lease === 'contended' || (lease && 'token' in lease)) return lease;

    let granted: HeldToken | undefined;
    try {
      // A store that did not answer the first time is not waited for again.
      const meanwhile = lease && found.answered ? await this.adopt(slot, flight) : undefined;
      if (meanwhile?.token) return { token: meanwhile.token };
      flight.signal.throwIfAborted();
      observer.missed(slot.query.kind);
      granted = await this.fetch(slot, flight, prepared);
      return { token: granted };
    } finally {
      flight.aftermath = this.wrapUp(slot, flight, granted, lease);
    }
  }

  /** After callers went on: the store, then the lock, so that whoever has it next finds the token. */
  private async wrapUp(
    slot: TokenSlot,
    flight: TokenFlight,
    granted: HeldToken | undefined,
    lease: RefreshLease | undefined,
  ): Promise<void> {
    try {
      if (granted) await this.deps.publisher.publish(slot, flight.generation, granted, lease);
    } finally {
      await lease?.release();
    }
  }

  private async adopt(
    slot: TokenSlot,
    flight: TokenFlight,
    tenants?: TenantStatuses,
  ): Promise<{ answered: boolean; token?: HeldToken }> {
    const { tenantKey } = slot.query;
    const reading = flight.purpose.explicit ? undefined : this.deps.records.read(slot.key);
    const isStopped = tenantKey !== undefined && (await tenants?.isStopped(tenantKey));
    const stored = await reading;
    flight.signal.throwIfAborted();
    if (isStopped) {
      slot.drop();
      throw tenantStopped(tenantKey);
    }
    if (stored === undefined) return { answered: true };
    if (stored === UNAVAILABLE) return { answered: false };
    const token = typeof stored === 'object' ? this.deps.intake.fromStore(slot, stored) : undefined;
    if (!token) return { answered: true };
    this.deps.observer.adopted(slot.query.kind);
    return { answered: true, token };
  }

  private async fetch(
    slot: TokenSlot,
    flight: TokenFlight,
    prepared: string | undefined,
  ): Promise<HeldToken> {
    let hasRecovered = false;
    for (let attempt = 0; ;) {
      try {
        return await this.fetchOnce(slot, flight, prepared);
      } catch (error) {
        flight.signal.throwIfAborted();
        const another = hasRecovered ? undefined : await this.deps.source.recover(flight, prepared, error);
        flight.signal.throwIfAborted();
        if (another !== undefined) {
          hasRecovered = true;
          prepared = another;
          continue;
        }
        const pause = RETRY_PAUSES_MS[attempt++];
        if (!flight.blocking || !isTransient(error) || pause === undefined) throw error;
        await this.deps.clock.sleep(pause, flight.signal);
        flight.signal.throwIfAborted();
      }
    }
  }

  private async fetchOnce(
    slot: TokenSlot,
    flight: TokenFlight,
    prepared: string | undefined,
  ): Promise<HeldToken> {
    const { clock, observer, source, intake } = this.deps;
    const startedAt = clock.monotonic();
    const tell = (outcome: AttemptOutcome): void =>
      observer.attempted(slot.query.kind, outcome, clock.monotonic() - startedAt);
    try {
      const grant = await source.request(slot, flight, prepared);
      flight.signal.throwIfAborted();
      const { token, isNoop } = intake.fromPlatform(slot, grant);
      tell(isNoop ? 'noop' : 'success');
      return token;
    } catch (error) {
      tell(isFeishuAuthError(error) ? error.code : 'ERR_FEISHU_PLATFORM_UNAVAILABLE');
      throw error;
    }
  }

  private landed(slot: TokenSlot, flight: TokenFlight, end: FlightEnd): void {
    // Only its owner clears the slot: an old flight that ends late must not touch a newer one.
    if (slot.flight !== flight) return;
    slot.flight = undefined;
    if (end === 'superseded') return;
    if (end === 'contended') {
      paceAfterContention(slot, this.deps.clock, this.deps.random.next());
      return;
    }
    slot.succeeded();
    this.deps.log.succeeded(slot);
  }

  private failed(slot: TokenSlot, flight: TokenFlight, cause: unknown): FeishuAuthError {
    const { clock, random, log } = this.deps;
    const error = toFeishuAuthError(cause);
    if (slot.flight !== flight) return error;
    slot.flight = undefined;
    if (error.code === 'ERR_FEISHU_CLOSED') return error;
    const told = paceAfterFailure(slot, error, flight.blocking, clock, random.next());
    log.failed(slot, told);
    return told;
  }
}

function isTransient(error: unknown): boolean {
  return isFeishuAuthError(error) && error.code === 'ERR_FEISHU_PLATFORM_UNAVAILABLE';
}

/** Whatever a custom fetch, cache or lock threw, callers get one kind of error. */
function toFeishuAuthError(error: unknown): FeishuAuthError {
  if (isFeishuAuthError(error)) return error;
  return new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the renewal failed unexpectedly', {
    retryable: true,
    cause: error,
  });
}
