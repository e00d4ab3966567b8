import { isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type RefreshLease } from '../../lock/refresh-lock.js';
import { type RecordStore } from '../../store/record-store.js';
import { UNAVAILABLE } from '../../store/shared-store.js';
import { type Clock } from '../../time/clock.js';
import { type HeldToken } from '../slot/held-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { type TenantGate } from '../tenant-gate.js';
import { type AttemptOutcome, type TokenObserver } from '../token-observer.js';
import { type FlightLock } from './flight-lock.js';
import { type Renewal } from './renewal.js';
import { type TokenAcceptance } from './token-acceptance.js';
import { type FlightEnd, type TokenFlight } from './token-flight.js';
import { type TokenPublisher } from './token-publisher.js';
import { type TokenSource } from './token-source.js';

/** Pauses before a blocking flight retries a transient failure. */
const RETRY_PAUSES_MS = [200, 600];

/** @internal */
export interface CacheRenewalDependencies {
  readonly clock: Clock;
  readonly records: RecordStore;
  readonly lock: FlightLock;
  readonly acceptance: TokenAcceptance;
  readonly publisher: TokenPublisher;
  readonly observer: TokenObserver;
  /** Absent for a self-built app: its one tenant cannot leave. */
  readonly tenants: TenantGate | undefined;
}

/** What a flight found in the shared store. */
interface Found {
  readonly storeAnswered: boolean;
  readonly token?: HeldToken;
}

/** Renews tokens that processes share through the cache: adopt -> lock -> re-check -> fetch -> publish. */
export class CacheRenewal implements Renewal {
  constructor(
    private readonly deps: CacheRenewalDependencies,
    private readonly source: TokenSource,
  ) {}

  async fly(slot: TokenSlot, flight: TokenFlight): Promise<FlightEnd> {
    const { lock, observer, tenants } = this.deps;
    const { storeAnswered, token } = await this.adopt(slot, flight, tenants);
    if (token) return { token };
    const prepared = await this.source.prepare(flight, storeAnswered);
    flight.signal.throwIfAborted();
    const look = async (): Promise<HeldToken | undefined> => (await this.adopt(slot, flight)).token;
    const lease = await lock.acquire(slot, flight, storeAnswered, look);
    if (lease === 'contended' || (lease && 'token' in lease)) return lease;

    let granted: HeldToken | undefined;
    try {
      // A store that did not answer the first time is not waited for again.
      const recheck = lease && storeAnswered ? await this.adopt(slot, flight) : undefined;
      if (recheck?.token) return { token: recheck.token };
      flight.signal.throwIfAborted();
      observer.missed(slot.kind);
      granted = await this.fetch(slot, flight, prepared);
      return { token: granted };
    } finally {
      flight.aftermath = this.wrapUp(slot, flight, granted, lease);
    }
  }

  withdraw(slot: TokenSlot, value: string): Promise<void> {
    return this.deps.publisher.withdraw(slot, value);
  }

  /** First the store, then the lock: the next holder of the lock finds the token. */
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

  private async adopt(slot: TokenSlot, flight: TokenFlight, tenants?: TenantGate): Promise<Found> {
    const { tenantKey } = slot;
    const reading = flight.purpose.trigger === 'refresh' ? undefined : this.deps.records.read(slot.key);
    const refusal = tenantKey === undefined ? undefined : await tenants?.refusalOf(tenantKey);
    const stored = await reading;
    flight.signal.throwIfAborted();
    if (refusal) {
      slot.drop();
      throw refusal;
    }
    if (stored === UNAVAILABLE) return { storeAnswered: false };
    const token = typeof stored === 'object' ? this.deps.acceptance.fromStore(slot, stored) : undefined;
    if (!token) return { storeAnswered: true };
    this.deps.observer.adopted(slot.kind);
    return { storeAnswered: true, token };
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
        const another = hasRecovered ? undefined : await this.source.recover(flight, prepared, error);
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
    const { clock, observer, acceptance } = this.deps;
    const startedAt = clock.monotonic();
    const tell = (outcome: AttemptOutcome): void =>
      observer.attempted(slot.kind, outcome, clock.monotonic() - startedAt);
    try {
      const grant = await this.source.request(slot, flight, prepared);
      flight.signal.throwIfAborted();
      const { token, isNoop } = acceptance.fromPlatform(slot, grant);
      tell(isNoop ? 'noop' : 'success');
      return token;
    } catch (error) {
      tell(isFeishuAuthError(error) ? error.code : 'ERR_FEISHU_PLATFORM_UNAVAILABLE');
      throw error;
    }
  }
}

function isTransient(error: unknown): boolean {
  return isFeishuAuthError(error, 'ERR_FEISHU_PLATFORM_UNAVAILABLE');
}
