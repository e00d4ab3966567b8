import { type FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { type TokenKind } from '../access-token.js';
import {
  isBindingPause,
  pauseAfterContention,
  pauseAfterFailure,
  withRetryAt,
  type HeldDuringPause,
} from '../failure-pacing.js';
import { freshnessOf, tokenTime, type Freshness, type FreshnessView } from '../freshness.js';
import { type TokenFlight } from '../renewal/token-flight.js';
import { TOKEN_KINDS } from '../token-kinds.js';
import { type ReadCounters } from '../token-observer.js';
import { type ResolvedQuery } from '../token-query.js';
import { type HeldToken } from './held-token.js';
import { SlotFailures, type RememberedValue, type SlotFailure, type SlotPause } from './slot-failures.js';
import { type SlotState } from './slot-state.js';
import { fingerprintOf } from './value-fingerprint.js';

/** How many rejected values a slot remembers besides the last one. */
const REJECTED_BEFORE = 4;

const NO_FAILURES = new SlotFailures();

/**
 * What one process holds for one query: the token, its windows, its flight, its failures. Only the slot changes its
 * fields; others call its verbs.
 *
 * There may be a slot for each of a million tenants. So it is its own query, and its fields are never `undefined` where
 * they hold numbers: V8 would put each number on the heap.
 */
export class TokenSlot implements ResolvedQuery, FreshnessView {
  readonly kind: TokenKind;
  readonly identity: string;

  private token: HeldToken | undefined = undefined;
  private lastReadAt = -Infinity;
  private currentGeneration = 0;
  private currentFlight: TokenFlight | undefined = undefined;
  private isDetached = false;
  private failures = NO_FAILURES;
  /** The value held before this one, and its end on the monotonic clock. */
  private replacedFingerprint: string | undefined = undefined;
  private replacedUntil = -Infinity;

  constructor(
    { kind, identity }: ResolvedQuery,
    readonly key: string,
    private readonly counters: ReadCounters,
    private readonly clock: Clock,
  ) {
    this.kind = kind;
    this.identity = identity;
    this.lastReadAt = clock.monotonic();
  }

  /** The token that was granted last, usable or not. */
  get kept(): HeldToken | undefined {
    return this.token;
  }

  get windows(): HeldToken | undefined {
    return this.token;
  }

  /** The tenant that the token acts in, if the app serves many. */
  get tenantKey(): string | undefined {
    return TOKEN_KINDS[this.kind].tenantKeyOf(this.identity);
  }

  /** The app's own token: not one of many tenants or users. */
  get isOwn(): boolean {
    return this.identity === '';
  }

  /** Monotonic time of the last read. The table evicts the least recently read slot first. */
  get readAt(): number {
    return this.lastReadAt;
  }

  /** Raised by every invalidation. What began under an earlier generation is neither published nor returned. */
  get generation(): number {
    return this.currentGeneration;
  }

  get flight(): TokenFlight | undefined {
    return this.currentFlight;
  }

  /** Removed from the table: a handle that still has this slot looks for its successor. */
  get detached(): boolean {
    return this.isDetached;
  }

  get renewalFailed(): boolean {
    return this.failures.whileHeld > 0;
  }

  get nextAttemptAt(): number {
    return this.failures.nextAttemptAt;
  }

  get failFastUntil(): number {
    return this.failures.failFastUntil;
  }

  /** The last failure, also after a success. */
  get lastFailure(): SlotFailure | undefined {
    return this.failures.last;
  }

  /** The value that the shared store did not accept, twice. */
  get unshared(): string | undefined {
    return this.failures.unshared;
  }

  /** The value that an API rejected last. */
  get rejected(): RememberedValue | undefined {
    return this.failures.rejected;
  }

  // Reads

  /** The hot path: returns the held token while no renewal is due, and counts a hit. */
  readFresh(): HeldToken | undefined {
    const { token } = this;
    if (token === undefined) return undefined;
    const { refreshAt } = token;
    const monotonic = this.clock.monotonic();
    if (monotonic + token.anchor >= refreshAt || this.clock.wallAt(monotonic) >= refreshAt) return undefined;
    this.lastReadAt = monotonic;
    this.counters.hits++;
    return token;
  }

  /** Returns the held token while its renewal is due, in flight or failing, and counts a hit. */
  readStale(): HeldToken | undefined {
    const held = this.usable();
    if (held === undefined) return undefined;
    this.lastReadAt = this.clock.monotonic();
    this.counters.hits++;
    if (this.time() >= held.refreshAt) this.counters.staleServed++;
    return held;
  }

  /** A caller asked for the token and has to wait. */
  touch(): void {
    this.lastReadAt = this.clock.monotonic();
  }

  /** The slot was made for a sweep: without a caller, it is not in use. */
  markUnread(): void {
    this.lastReadAt = -Infinity;
  }

  /** The current time on the held token's axis; the wall clock if no token is held. */
  time(): number {
    return tokenTime(this.clock.now(), this.clock.monotonic(), this.token?.anchor ?? -Infinity);
  }

  freshness(): Freshness {
    return freshnessOf(this, this.time(), this.clock.monotonic());
  }

  /** The held token if callers may still get it. */
  usable(): HeldToken | undefined {
    return this.token !== undefined && this.time() < this.token.deadAt ? this.token : undefined;
  }

  // The token

  hold(token: HeldToken): void {
    const replaced = this.token;
    if (replaced && replaced.value !== token.value) {
      this.replacedFingerprint = fingerprintOf(replaced.value);
      this.replacedUntil = replaced.expiresAt - replaced.anchor;
    }
    this.token = token;
  }

  drop(): void {
    this.token = undefined;
  }

  /**
   * When a value that this slot held before ends, by the current wall clock; `Infinity` for any other value. After the
   * wall clock was set back, the value's record in the store claims too long a life.
   */
  knownEnd(fingerprint: string): number {
    if (this.replacedFingerprint !== fingerprint) return Infinity;
    return this.replacedUntil + this.clock.now() - this.clock.monotonic();
  }

  /** An API rejected the value: the slot does not adopt it again, and stays in the table until `until`. */
  reject(fingerprint: string, until: number): void {
    const failures = this.ownFailures();
    const before = failures.rejected?.fingerprint;
    if (before !== undefined && before !== fingerprint) {
      failures.rejectedBefore = [before, ...(failures.rejectedBefore ?? [])].slice(0, REJECTED_BEFORE);
    }
    failures.rejected = { fingerprint, until };
  }

  isRejected(fingerprint: string): boolean {
    const { rejected, rejectedBefore } = this.failures;
    return fingerprint === rejected?.fingerprint || rejectedBefore?.includes(fingerprint) === true;
  }

  /** Feishu returned the rejected value again: until `until`, further rejections of it do not count. */
  confirm(fingerprint: string, until: number): void {
    const failures = this.ownFailures();
    failures.rejected = undefined;
    failures.confirmed = { fingerprint, until };
  }

  isConfirmed(fingerprint: string): boolean {
    const { confirmed } = this.failures;
    return confirmed?.fingerprint === fingerprint && this.clock.monotonic() < confirmed.until;
  }

  /** The shared store did not accept the value, twice. */
  markUnshared(value: string): void {
    this.ownFailures().unshared = value;
  }

  markShared(): void {
    if (this.failures.unshared !== undefined) this.failures.unshared = undefined;
  }

  /** `minValidityMs` asked for a longer-lived token, and this is the longest-lived one. */
  settleFor({ value }: HeldToken): void {
    this.ownFailures().longestLived = value;
  }

  isLongestLived({ value }: HeldToken): boolean {
    return this.failures.longestLived === value;
  }

  // The flight

  beginFlight(flight: TokenFlight): void {
    this.currentFlight = flight;
  }

  /** @returns false for a flight that another one has replaced: it must not change the slot */
  endFlight(flight: TokenFlight): boolean {
    if (this.currentFlight !== flight) return false;
    this.currentFlight = undefined;
    return true;
  }

  /** Drops the token and what is under way. @returns the flight to abort */
  supersede(): TokenFlight | undefined {
    const flight = this.currentFlight;
    this.currentGeneration++;
    this.currentFlight = undefined;
    this.token = undefined;
    return flight;
  }

  /** The table removed this slot. */
  detach(): void {
    this.isDetached = true;
    this.token = undefined;
  }

  // How flights ended

  succeeded(): void {
    if (this.failures === NO_FAILURES) return;
    this.failures.whileHeld = 0;
    this.failures.whileEmpty = 0;
    this.failures.contentions = 0;
    this.endPause();
  }

  /** @returns the error that all callers get, with the time of the next attempt */
  failed(error: FeishuAuthError, hadWaiters: boolean, random: number): FeishuAuthError {
    const failures = this.ownFailures();
    const held = this.heldDuringPause();
    const count = held ? ++failures.whileHeld : ++failures.whileEmpty;
    const atWallMs = this.clock.now();
    const pauseMs = pauseAfterFailure(error, count, held, atWallMs, random);
    const told = withRetryAt(error, new Date(atWallMs + pauseMs));
    const until = this.clock.monotonic() + pauseMs;
    failures.pause = { error: told, until, isBinding: isBindingPause(error) };
    failures.nextAttemptAt = until;
    // After a background failure of an empty slot, the first caller still makes an attempt.
    if (!held && hadWaiters) failures.failFastUntil = until;
    failures.last = { error: told, atWallMs };
    return told;
  }

  /** The flight left the renewal to another process. */
  contended(random: number): void {
    const failures = this.ownFailures();
    const pauseMs = pauseAfterContention(++failures.contentions, this.heldDuringPause(), random);
    failures.nextAttemptAt = this.clock.monotonic() + pauseMs;
  }

  /** The cause of the last failure is gone: the next attempt may start at once. */
  endPause(): void {
    if (this.failures === NO_FAILURES) return;
    this.failures.pause = undefined;
    this.failures.nextAttemptAt = -Infinity;
    this.failures.failFastUntil = -Infinity;
  }

  /** Why no attempt starts now, after a failure. */
  pause(): SlotPause | undefined {
    const { pause } = this.failures;
    return pause !== undefined && this.clock.monotonic() < pause.until ? pause : undefined;
  }

  // For others to see

  /** What health and metrics may know. */
  state(): SlotState {
    const held = this.usable();
    const { whileHeld, whileEmpty, unshared, last } = this.failures;
    return {
      kind: this.kind,
      tenantKey: this.tenantKey,
      usable: held !== undefined,
      expiresInMs: held && held.expiresAt - this.time(),
      lifeMs: held?.lifeMs,
      consecutiveFailures: whileHeld + whileEmpty,
      ...(held !== undefined && held.value === unshared && { unshared: true }),
      lastError: last && { code: last.error.code, atWallMs: last.atWallMs },
    };
  }

  /** Whether its removal would lose something that is still needed. */
  isPinned(): boolean {
    const now = this.clock.monotonic();
    const { failFastUntil, rejected, confirmed } = this.failures;
    return (
      this.currentFlight !== undefined ||
      now < failFastUntil ||
      now < (rejected?.until ?? -Infinity) ||
      now < (confirmed?.until ?? -Infinity)
    );
  }

  private heldDuringPause(): HeldDuringPause | undefined {
    const windows = this.usable();
    return windows && { windows, time: this.time() };
  }

  private ownFailures(): SlotFailures {
    if (this.failures === NO_FAILURES) this.failures = new SlotFailures();
    return this.failures;
  }
}
