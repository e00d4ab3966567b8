import { type Clock } from '../../time/clock.js';
import { freshnessOf, tokenTime, type Freshness, type FreshnessView } from '../freshness.js';
import { type HeldToken } from './held-token.js';
import { type TokenKind } from '../access-token.js';
import { type TokenFlight } from '../renewal/token-flight.js';
import { type ReadCounters } from '../token-observer.js';
import { type SlotState } from './slot-state.js';
import { SlotFailureState } from './slot-failure-state.js';
import { type ResolvedQuery } from '../token-query.js';
import { fingerprintOf } from './value-fingerprint.js';

/** How many rejected values are remembered besides the last one. */
const REJECTED_BEFORE = 4;

/** What one process holds for one query: the token, its windows, its flight, its failures. */
export class TokenSlot extends SlotFailureState implements FreshnessView {
  /** Before its `refreshAt`, by both clocks, it is the answer of the hot path, which looks at nothing else. */
  kept: HeldToken | undefined = undefined;

  /** Monotonic time of the last read: least recently read goes first. Never undefined, or each would be a heap object. */
  readAt = -Infinity;
  /** Raised by every invalidation: what began under an earlier generation neither publishes nor is returned. */
  generation = 0;
  flight: TokenFlight | undefined = undefined;
  /** Let go of by the table: a handle that still points here looks for its successor. */
  detached = false;

  /** The value held before this one, and its end: with the wall clock set back, a record of it says too much. */
  private replacedFingerprint: string | undefined = undefined;
  private replacedUntil = -Infinity;

  readonly kind: TokenKind;
  readonly tenantKey: string | undefined;
  constructor(
    { kind, tenantKey }: ResolvedQuery,
    readonly key: string,
    readonly counters: ReadCounters,
    private readonly clock: Clock,
  ) {
    super();
    this.kind = kind;
    this.tenantKey = tenantKey;
    this.readAt = clock.monotonic();
  }

  /** It is its own query: there is a slot for every tenant, and an object more in each would be for nothing. */
  get query(): ResolvedQuery {
    return this;
  }

  get windows(): HeldToken | undefined {
    return this.kept;
  }

  get renewalFailed(): boolean {
    return this.renewalFailures > 0;
  }

  /** The hot path: the held token while nothing is to be done about it, counted as a hit. */
  readFresh(): HeldToken | undefined {
    const { kept } = this;
    if (kept === undefined) return undefined;
    const { refreshAt } = kept;
    const monotonic = this.clock.monotonic();
    if (monotonic + kept.anchor >= refreshAt || this.clock.wallAt(monotonic) >= refreshAt) return undefined;
    this.readAt = monotonic;
    this.counters.hits++;
    return kept;
  }

  /** The same while a renewal is due, under way or failing. */
  readStale(): HeldToken | undefined {
    const held = this.usable();
    if (held === undefined) return undefined;
    this.readAt = this.clock.monotonic();
    this.counters.hits++;
    if (this.time() >= held.refreshAt) this.counters.staleServed++;
    return held;
  }

  /** Now, on the held token's axis; by the wall clock if there is none. */
  time(): number {
    return tokenTime(this.clock.now(), this.clock.monotonic(), this.kept?.anchor ?? -Infinity);
  }

  freshness(): Freshness {
    return freshnessOf(this, this.time(), this.clock.monotonic());
  }

  /** The held token if it may still be used. */
  usable(): HeldToken | undefined {
    return this.kept !== undefined && this.time() < this.kept.deadAt ? this.kept : undefined;
  }

  /** Holds `token` from now on. */
  hold(token: HeldToken): void {
    const { kept } = this;
    if (kept && kept.value !== token.value) {
      this.replacedFingerprint = fingerprintOf(kept.value);
      this.replacedUntil = kept.expiresAt - kept.anchor;
    }
    this.kept = token;
  }

  /** An API rejected the value: it is not adopted from the store any more. */
  reject(fingerprint: string, until: number): void {
    const before = this.rejected?.fingerprint;
    if (before !== undefined && before !== fingerprint) {
      this.rejectedBefore = [before, ...(this.rejectedBefore ?? [])].slice(0, REJECTED_BEFORE);
    }
    this.rejected = { fingerprint, until };
  }

  isRejected(fingerprint: string): boolean {
    return fingerprint === this.rejected?.fingerprint || this.rejectedBefore?.includes(fingerprint) === true;
  }

  /** When a value that was held before ends, by the wall clock of now; `Infinity` for any other. */
  knownEnd(fingerprint: string): number {
    if (this.replacedFingerprint !== fingerprint) return Infinity;
    return this.replacedUntil + this.clock.now() - this.clock.monotonic();
  }

  /** Holds nothing from now on. */
  drop(): void {
    this.kept = undefined;
  }

  succeeded(): void {
    this.renewalFailures = 0;
    this.emptyFailures = 0;
    this.contentions = 0;
    this.nextAttemptAt = -Infinity;
    this.failFastUntil = -Infinity;
  }

  /** What the last failure was about has changed: the next attempt may start at once. */
  endPause(): void {
    this.nextAttemptAt = -Infinity;
    this.failFastUntil = -Infinity;
  }

  /** What health and metrics may know of it. */
  state(): SlotState {
    const held = this.usable();
    return {
      kind: this.kind,
      tenantKey: this.tenantKey,
      usable: held !== undefined,
      expiresInMs: held && held.expiresAt - this.time(),
      lifeMs: held?.lifeMs,
      consecutiveFailures: this.renewalFailures + this.emptyFailures,
      ...(held !== undefined && held.value === this.unshared && { unshared: true }),
      lastError: this.lastFailure && {
        code: this.lastFailure.error.code,
        atWallMs: this.lastFailure.atWallMs,
      },
    };
  }

  /** Whether letting it go would forget something that is still needed. */
  isPinned(): boolean {
    const now = this.clock.monotonic();
    return (
      this.flight !== undefined ||
      now < this.failFastUntil ||
      now < (this.rejected?.until ?? -Infinity) ||
      now < (this.confirmed?.until ?? -Infinity)
    );
  }
}
