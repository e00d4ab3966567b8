import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type AppType } from '../platform/app-type.js';
import { type Clock } from '../time/clock.js';
import { withSignal } from '../time/deadline.js';
import {
  type AccessToken,
  type TokenHandle,
  type TokenQuery,
  type TokenRequestOptions,
} from './access-token.js';
import { withRetryAt } from './failure-pacing.js';
import { isRenewalDue, SAME_TOKEN_WINDOW_MS } from './freshness.js';
import { flightContext } from './renewal/flight-context.js';
import { type TokenRefresher } from './renewal/token-refresher.js';
import { type HeldToken } from './slot/held-token.js';
import { SlotHandle } from './slot/slot-handle.js';
import { type SlotPause } from './slot/slot-failures.js';
import { type SlotTable } from './slot/slot-table.js';
import { type TokenSlot } from './slot/token-slot.js';
import { fingerprintOf } from './slot/value-fingerprint.js';
import { type TokenObserver } from './token-observer.js';
import { resolveQuery } from './token-query.js';

/** How long a slot with a rejected value stays in the table. */
const REJECTED_MS = 60_000;

/** @internal */
export interface ReaderDependencies {
  readonly appType: AppType;
  readonly slots: SlotTable;
  readonly clock: Clock;
  readonly observer: TokenObserver;
  readonly refresher: TokenRefresher;
}

/** Serves callers: reads a token, waits for a flight, refuses, invalidates. */
export class TokenReader {
  constructor(private readonly deps: ReaderDependencies) {}

  /** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  handle(query: TokenQuery): TokenHandle {
    return new SlotHandle(this.slotOf(query), this.deps.slots, this);
  }

  /** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  slotOf(query: TokenQuery): TokenSlot {
    return this.deps.slots.obtain(resolveQuery(query, this.deps.appType));
  }

  /** A usable token without waiting, or `undefined`. */
  peek(slot: TokenSlot): HeldToken | undefined {
    const fresh = slot.readFresh();
    if (fresh) return fresh;
    const stale = slot.readStale();
    if (stale) this.renewIfDue(slot);
    return stale;
  }

  /** A usable token. It waits only when none is held; `waited` tells whether it did. */
  async get(
    slot: TokenSlot,
    options: TokenRequestOptions = {},
  ): Promise<{ token: HeldToken; waited: boolean }> {
    const { signal, minValidityMs } = checked(options);
    this.assertOpen();
    signal?.throwIfAborted();
    if (isEnough(slot, minValidityMs)) {
      const token = this.peek(slot);
      if (token) return { token, waited: false };
    }
    this.assertNotWithinOwnFlight(slot);
    const { clock, observer } = this.deps;
    if (isFailingFast(slot)) {
      observer.failedFast(slot.kind);
      throw this.failFastError(slot.pause());
    }
    slot.touch();
    const startedAt = clock.monotonic();
    try {
      return { token: await this.awaitFlight(slot, signal, minValidityMs), waited: true };
    } finally {
      observer.waited(slot.kind, clock.monotonic() - startedAt);
    }
  }

  /** The same for the module itself: no caller asked, so nothing is counted. */
  async getForOwnUse(slot: TokenSlot, signal: AbortSignal): Promise<HeldToken> {
    this.assertOpen();
    const held = slot.usable();
    if (held) {
      this.renewIfDue(slot);
      return held;
    }
    if (isFailingFast(slot)) throw this.failFastError(slot.pause());
    return this.awaitFlight(slot, signal, undefined);
  }

  /** A renewal now, even if a token is held. All callers share one flight. */
  async refresh(slot: TokenSlot): Promise<HeldToken> {
    this.assertOpen();
    this.assertNotWithinOwnFlight(slot);
    // A caller may cut our backoff short, but not a pause that Feishu asked for or that only a human can end.
    const pause = slot.flight ? undefined : slot.pause();
    if (pause?.isBinding) throw this.failFastError(pause);
    for (;;) {
      const flight = slot.flight ?? this.deps.refresher.start(slot, { trigger: 'refresh' });
      flight.makeBlocking();
      const end = await flight.outcome;
      if (typeof end === 'object' && slot.generation === flight.generation) return end.token;
      this.assertOpen();
    }
  }

  /** Drops `rejectedValue` here and in the store, if the slot holds exactly this value. */
  async invalidate(query: TokenQuery, rejectedValue: string): Promise<boolean> {
    const { appType, slots, clock, observer, refresher } = this.deps;
    const { kind, identity } = resolveQuery(query, appType);
    const slot = slots.find(kind, identity);
    if (slots.closed || !slot?.kept || slot.kept.value !== rejectedValue) return false;
    const fingerprint = fingerprintOf(rejectedValue);
    if (slot.isConfirmed(fingerprint)) return false;

    slot.reject(fingerprint, clock.monotonic() + REJECTED_MS);
    const superseded = slot.supersede();
    observer.invalidated(kind);
    refresher.start(slot, { trigger: 'invalidation', after: superseded });
    superseded?.abort('superseded');
    await refresher.withdraw(slot, rejectedValue);
    return true;
  }

  /** Starts a background flight if one is due. */
  private renewIfDue(slot: TokenSlot): void {
    const { slots, clock, refresher } = this.deps;
    if (slot.flight || slots.closed) return;
    if (isRenewalDue(slot, slot.freshness(), clock.monotonic())) refresher.start(slot);
  }

  private async awaitFlight(
    slot: TokenSlot,
    signal: AbortSignal | undefined,
    minValidityMs: number | undefined,
  ): Promise<HeldToken> {
    for (;;) {
      const flight = slot.flight ?? this.deps.refresher.start(slot, { trigger: 'read' });
      flight.makeBlocking();
      try {
        const end = await (signal ? withSignal(flight.outcome, signal) : flight.outcome);
        if (typeof end === 'object' && slot.generation === flight.generation) {
          if (minValidityMs !== undefined) slot.settleFor(end.token);
          return end.token;
        }
      } catch (error) {
        const held = signal?.aborted ? undefined : slot.usable();
        if (!held) throw error;
        // The caller wanted a longer-lived token, but this is the longest-lived one.
        slot.settleFor(held);
        return held;
      }
      this.assertOpen();
      signal?.throwIfAborted();
    }
  }

  /** A new error for each caller: the failure that the pause is about. */
  private failFastError(pause: SlotPause | undefined): FeishuAuthError {
    const { clock } = this.deps;
    if (pause) {
      const retryAt = new Date(clock.now() + Math.max(0, pause.until - clock.monotonic()));
      return withRetryAt(pause.error, retryAt);
    }
    return new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the last attempt failed', {
      retryable: true,
    });
  }

  private assertOpen(): void {
    if (!this.deps.slots.closed) return;
    throw new FeishuAuthError(
      'ERR_FEISHU_CLOSED',
      'the application has been closed, so it provides no more tokens',
    );
  }

  private assertNotWithinOwnFlight(slot: TokenSlot): void {
    if (!flightContext.getStore()?.has(slot.key)) return;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      'the renewal of a token asked for this token itself: the fetch, cache or lock in the options must not use this module',
    );
  }
}

function isFailingFast(slot: TokenSlot): boolean {
  return !slot.flight && slot.freshness() === 'failing';
}

/** Whether the held token has `minValidityMs` left, or Feishu has no longer-lived one. */
function isEnough(slot: TokenSlot, minValidityMs: number | undefined): boolean {
  const { kept } = slot;
  if (minValidityMs === undefined || kept === undefined) return true;
  return kept.expiresAt - slot.time() >= minValidityMs || slot.isLongestLived(kept);
}

function checked(options: TokenRequestOptions): TokenRequestOptions {
  const { minValidityMs } = options;
  const isValid =
    minValidityMs === undefined ||
    (Number.isFinite(minValidityMs) && minValidityMs >= 0 && minValidityMs < SAME_TOKEN_WINDOW_MS);
  if (isValid) return options;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    'minValidityMs: must be a number of milliseconds, at least 0 and below 1_800_000 (30 minutes): with more life left, Feishu returns the same token again',
  );
}

/** A copy for the caller. */
export function toAccessToken(
  { value, expiresAt, obtainedAt }: HeldToken,
  { kind }: TokenSlot,
  source: AccessToken['source'],
): AccessToken {
  return { value, kind, expiresAt: new Date(expiresAt), obtainedAt: new Date(obtainedAt), source };
}
