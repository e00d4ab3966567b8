import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { withSignal } from '../time/deadline.js';
import {
  type AccessToken,
  type TokenHandle,
  type TokenQuery,
  type TokenRequestOptions,
} from './access-token.js';
import { failFastError, isCoolingDown } from './renewal/failure-pacing.js';
import { flightContext } from './renewal/flight-context.js';
import { isRenewalDue, SAME_TOKEN_WINDOW_MS } from './freshness.js';
import { type HeldToken } from './slot/held-token.js';
import { type SlotState, type SlotStates } from './slot/slot-state.js';
import { SlotTable } from './slot/slot-table.js';
import { type TokenObserver } from './token-observer.js';
import { type TokenPublisher } from './renewal/token-publisher.js';
import { cacheKey, resolveQuery, type AppIdentity, type ResolvedQuery } from './token-query.js';
import { SlotHandle } from './slot/slot-handle.js';
import { type TokenRefresher } from './renewal/token-refresher.js';
import { TokenSlot } from './slot/token-slot.js';
import { fingerprintOf } from './slot/value-fingerprint.js';

/** How long a rejected value keeps its slot from being let go. */
const REJECTED_MS = 60_000;

/** @internal */
export interface ReaderDependencies {
  readonly identity: AppIdentity;
  readonly maxTokens: number;
  readonly clock: Clock;
  readonly observer: TokenObserver;
  readonly refresher: TokenRefresher;
  readonly publisher: TokenPublisher;
}

/** Every way to a token: read, wait, refuse, invalidate. */
export class TokenReader implements SlotStates {
  readonly slots: SlotTable;
  private closed = false;

  constructor(private readonly deps: ReaderDependencies) {
    this.slots = new SlotTable(deps.maxTokens);
  }

  /** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  handle(query: TokenQuery): TokenHandle {
    return new SlotHandle(this.slotOf(query), this);
  }

  /** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  slotOf(query: TokenQuery): TokenSlot {
    return this.slotFor(resolveQuery(query, this.deps.identity.appType));
  }

  slotFor(query: ResolvedQuery): TokenSlot {
    const { identity, clock, observer } = this.deps;
    const found = this.slots.find(query.kind, query.tenantKey);
    if (found) return found;
    const key = cacheKey(identity, query.kind, query.tenantKey);
    const slot = new TokenSlot(query, key, observer.readCounters(query.kind), clock);
    // Nothing is held after closing, and nothing must pile up either.
    if (!this.closed) this.slots.add(slot);
    return slot;
  }

  /** A usable token without waiting, or `undefined`. */
  peek(slot: TokenSlot): HeldToken | undefined {
    const fresh = slot.readFresh();
    if (fresh) return fresh;
    const stale = slot.readStale();
    if (stale) this.renewIfDue(slot);
    return stale;
  }

  /** A usable token; waits only when none is held. `waited` tells which it was. */
  async get(
    slot: TokenSlot,
    options: TokenRequestOptions = {},
  ): Promise<{ token: HeldToken; waited: boolean }> {
    const { signal, minValidityMs } = checked(options);
    this.assertOpen();
    signal?.throwIfAborted();
    if (this.isEnough(slot, minValidityMs)) {
      const token = this.peek(slot);
      if (token) return { token, waited: false };
    }
    this.assertNotWithinOwnFlight(slot);
    const { clock, observer } = this.deps;
    if (slot.freshness() === 'failing' && !slot.flight) {
      observer.failedFast(slot.query.kind);
      throw failFastError(slot, clock);
    }
    slot.readAt = clock.monotonic();
    const startedAt = clock.monotonic();
    try {
      return { token: await this.awaitFlight(slot, signal, minValidityMs), waited: true };
    } finally {
      observer.waited(slot.query.kind, clock.monotonic() - startedAt);
    }
  }

  /** The same for the module's own needs: nobody's request, so it is not counted as one. */
  async getForOwnUse(slot: TokenSlot, signal: AbortSignal): Promise<HeldToken> {
    this.assertOpen();
    const held = slot.usable();
    if (held) {
      this.renewIfDue(slot);
      return held;
    }
    if (slot.freshness() === 'failing' && !slot.flight) throw failFastError(slot, this.deps.clock);
    return this.awaitFlight(slot, signal, undefined);
  }

  /** A renewal now, whatever is held: still one flight. */
  async refresh(slot: TokenSlot): Promise<HeldToken> {
    const { clock, refresher } = this.deps;
    this.assertOpen();
    this.assertNotWithinOwnFlight(slot);
    // Backoff is ours to override; a pause that the platform asked for, or that waits for a human, is not.
    if (!slot.flight && isCoolingDown(slot, clock)) throw failFastError(slot, clock);
    for (;;) {
      const flight = slot.flight ?? refresher.start(slot, { explicit: true });
      flight.makeBlocking();
      const end = await flight.outcome;
      if (typeof end === 'object' && slot.generation === flight.generation) return end.token;
      this.assertOpen();
    }
  }

  /** Drops `rejectedValue` here and in the store, if it is exactly what the slot holds. */
  async invalidate(query: TokenQuery, rejectedValue: string): Promise<boolean> {
    const { clock, observer, refresher, publisher, identity } = this.deps;
    const { kind, tenantKey } = resolveQuery(query, identity.appType);
    const slot = this.slots.find(kind, tenantKey);
    if (this.closed || !slot?.kept || slot.kept.value !== rejectedValue) return false;
    const fingerprint = fingerprintOf(rejectedValue);
    const { confirmed } = slot;
    if (confirmed?.fingerprint === fingerprint && clock.monotonic() < confirmed.until) return false;

    slot.generation++;
    slot.reject(fingerprint, clock.monotonic() + REJECTED_MS);
    slot.drop();
    observer.invalidated(kind);
    const calledOff = slot.flight;
    refresher.start(slot, { after: calledOff });
    calledOff?.abort('superseded');
    await publisher.withdraw(slot, rejectedValue);
    return true;
  }

  /** Starts the slot's background flight if one is due. */
  renewIfDue(slot: TokenSlot): void {
    if (slot.flight || this.closed) return;
    if (isRenewalDue(slot, slot.freshness(), this.deps.clock.monotonic())) this.deps.refresher.start(slot);
  }

  /** Slots that a sweep should renew: those due, and the app's own even when nothing is held. */
  due(): TokenSlot[] {
    const now = this.deps.clock.monotonic();
    return [...this.slots].filter((slot) => {
      if (slot.flight || now < slot.nextAttemptAt) return false;
      const freshness = slot.freshness();
      if (freshness !== 'empty') return isRenewalDue(slot, freshness, now);
      const isOwn = slot.query.tenantKey === undefined;
      return slot.kept !== undefined || (isOwn && slot.lastFailure !== undefined);
    });
  }

  /** The slot's background flight, joined if there is one. `left`: another process has it under way. */
  async renew(slot: TokenSlot): Promise<'renewed' | 'failed' | 'left'> {
    // What was due when the sweep began may have been renewed since, as a store app's own token by a tenant's flight.
    if (this.closed || slot.freshness() === 'fresh') return 'left';
    const flight = slot.flight ?? this.deps.refresher.start(slot);
    try {
      return typeof (await flight.outcome) === 'object' ? 'renewed' : 'left';
    } catch {
      return 'failed';
    }
  }

  /**
   * Lets go of tenants' tokens that nobody read for `idleAfterMs`; returns how many.
   *
   * @param isInUse whether another process reads it
   */
  dropIdle(idleAfterMs: number, isInUse: (tenantKey: string) => boolean = () => false): number {
    const before = this.deps.clock.monotonic() - idleAfterMs;
    const idle = [...this.slots].filter(
      (slot) =>
        slot.query.tenantKey !== undefined &&
        slot.readAt < before &&
        !slot.isPinned() &&
        !isInUse(slot.query.tenantKey),
    );
    for (const slot of idle) this.slots.remove(slot);
    return idle.length;
  }

  /** A ticket has come: what failed for want of one may try again at once. */
  endTicketCoolDown(): void {
    for (const slot of this.slots) {
      if (slot.lastFailure?.error.code !== 'ERR_FEISHU_APP_TICKET_MISSING') continue;
      slot.endPause();
    }
  }

  *slotStates(): IterableIterator<SlotState> {
    for (const slot of this.slots) yield slot.state();
  }

  /** From now on nothing is given out: reads fail, nothing is renewed. */
  close(): void {
    this.closed = true;
    for (const slot of [...this.slots]) this.slots.remove(slot);
  }

  /** The slot's successor if it was let go of. */
  current(slot: TokenSlot): TokenSlot {
    return slot.detached ? this.slotFor(slot.query) : slot;
  }

  private async awaitFlight(
    slot: TokenSlot,
    signal: AbortSignal | undefined,
    minValidityMs: number | undefined,
  ): Promise<HeldToken> {
    for (;;) {
      const flight = slot.flight ?? this.deps.refresher.start(slot);
      flight.makeBlocking();
      try {
        const end = await (signal ? withSignal(flight.outcome, signal) : flight.outcome);
        if (typeof end === 'object' && slot.generation === flight.generation) {
          if (minValidityMs !== undefined) slot.longestAskedFor = end.token.value;
          return end.token;
        }
      } catch (error) {
        const held = signal?.aborted ? undefined : slot.usable();
        if (!held) throw error;
        // A longer-lived token was wanted; this is the longest-lived there is.
        slot.longestAskedFor = held.value;
        return held;
      }
      this.assertOpen();
      signal?.throwIfAborted();
    }
  }

  /** Whether the held token has `minValidityMs` left, or a longer-lived one was already asked for. */
  private isEnough(slot: TokenSlot, minValidityMs: number | undefined): boolean {
    const { kept } = slot;
    if (minValidityMs === undefined || kept === undefined) return true;
    return kept.expiresAt - slot.time() >= minValidityMs || slot.longestAskedFor === kept.value;
  }

  private assertOpen(): void {
    if (this.closed) {
      throw new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed: no tokens any more');
    }
  }

  private assertNotWithinOwnFlight(slot: TokenSlot): void {
    if (!flightContext.getStore()?.has(slot.key)) return;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      'a token was asked for from within its own renewal: a custom fetch, cache or lock must not call back',
    );
  }
}

function checked(options: TokenRequestOptions): TokenRequestOptions {
  const { minValidityMs } = options;
  const isFine =
    minValidityMs === undefined ||
    (Number.isFinite(minValidityMs) && minValidityMs >= 0 && minValidityMs < SAME_TOKEN_WINDOW_MS);
  if (isFine) return options;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    'minValidityMs is at least 0 and below 1_800_000 (30 minutes): before that the platform hands out the same token',
  );
}

/** A copy for the caller, so that nothing it does reaches what is held. */
export function toAccessToken(
  token: HeldToken,
  query: ResolvedQuery,
  source: AccessToken['source'],
): AccessToken {
  return {
    value: token.value,
    kind: query.kind,
    expiresAt: new Date(token.expiresAt),
    obtainedAt: new Date(token.obtainedAt),
    source,
  };
}
