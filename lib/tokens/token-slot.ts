import { type FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { freshnessOf, tokenTime, type Freshness, type FreshnessView } from './freshness.js';
import { type HeldToken } from './held-token.js';
import { type TokenFlight } from './token-flight.js';
import { type ReadCounters } from './token-observer.js';
import { type SlotState } from './slot-state.js';
import { type ResolvedQuery } from './token-query.js';

/** A value by its fingerprint, remembered until a time on the monotonic clock. */
interface RememberedValue {
  readonly fingerprint: string;
  readonly until: number;
}

/** What one process holds for one query: the token, its windows, its flight, its failures. */
export class TokenSlot implements FreshnessView {
  /**
   * The hot path looks at these three and nothing else: before `softAt`, by both clocks, `kept` is the answer.
   * `-Infinity` sends every read to the slow path.
   */
  softAt = -Infinity;
  anchor = 0;
  kept: HeldToken | undefined = undefined;

  /** Monotonic time of the last read: least recently read goes first. */
  readAt: number;
  /** Raised by every invalidation: what began under an earlier generation neither publishes nor is returned. */
  generation = 0;
  flight: TokenFlight | undefined = undefined;
  /** Let go of by the table: a handle that still points here looks for its successor. */
  detached = false;

  nextAttemptAt = -Infinity;
  failFastUntil = -Infinity;
  /** Failed flights in a row while a token was held, and while none was. */
  renewalFailures = 0;
  emptyFailures = 0;
  lastFailure: { readonly error: FeishuAuthError; readonly atWallMs: number } | undefined = undefined;

  /** The value an API rejected last: never adopted from the store. */
  rejected: RememberedValue | undefined = undefined;
  /** A rejected value that the platform handed out again: it was never the problem. */
  confirmed: RememberedValue | undefined = undefined;
  /** The token that `minValidityMs` has already asked a longer-lived one for. */
  longestAskedFor: string | undefined = undefined;

  constructor(
    readonly query: ResolvedQuery,
    readonly key: string,
    readonly counters: ReadCounters,
    private readonly clock: Clock,
  ) {
    this.readAt = clock.monotonic();
  }

  get windows(): HeldToken | undefined {
    return this.kept;
  }

  get renewalFailed(): boolean {
    return this.renewalFailures > 0;
  }

  /** The hot path: the held token while nothing is to be done about it, counted as a hit. */
  readFresh(): HeldToken | undefined {
    const monotonic = this.clock.monotonic();
    if (monotonic + this.anchor >= this.softAt || this.clock.wallAt(monotonic) >= this.softAt) return undefined;
    this.readAt = monotonic;
    this.counters.hits++;
    return this.kept;
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

  /** Now, on the held token's axis. */
  time(): number {
    return tokenTime(this.clock.now(), this.clock.monotonic(), this.anchor);
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
    this.kept = token;
    this.anchor = token.anchor;
    this.softAt = token.refreshAt;
  }

  /** Holds nothing from now on. */
  drop(): void {
    this.kept = undefined;
    this.softAt = -Infinity;
  }

  succeeded(): void {
    this.renewalFailures = 0;
    this.emptyFailures = 0;
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
      kind: this.query.kind,
      tenantKey: this.query.tenantKey,
      usable: held !== undefined,
      expiresInMs: held && held.expiresAt - this.time(),
      lifeMs: held?.lifeMs,
      consecutiveFailures: this.renewalFailures + this.emptyFailures,
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
