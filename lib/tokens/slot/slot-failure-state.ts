import { type FeishuAuthError } from '../../errors/feishu-auth.error.js';

/** A value by its fingerprint, remembered until a time on the monotonic clock. */
export interface RememberedValue {
  readonly fingerprint: string;
  readonly until: number;
}

export interface SlotFailure {
  readonly error: FeishuAuthError;
  readonly atWallMs: number;
}

class FailureState {
  nextAttemptAt = -Infinity;
  failFastUntil = -Infinity;
  renewalFailures = 0;
  emptyFailures = 0;
  contentions = 0;
  lastFailure: SlotFailure | undefined = undefined;
  rejected: RememberedValue | undefined = undefined;
  rejectedBefore: readonly string[] | undefined = undefined;
  confirmed: RememberedValue | undefined = undefined;
  unshared: string | undefined = undefined;
  longestAskedFor: string | undefined = undefined;
}

const NONE = new FailureState();

/** What is out of the ordinary about a slot. Most never have any of it, so it takes its memory only when there is some. */
export abstract class SlotFailureState {
  private troubles = NONE;

  private get own(): FailureState {
    if (this.troubles === NONE) this.troubles = new FailureState();
    return this.troubles;
  }

  /** No background attempt before this, on the monotonic clock. */
  get nextAttemptAt(): number {
    return this.troubles.nextAttemptAt;
  }
  set nextAttemptAt(value: number) {
    if (value !== this.troubles.nextAttemptAt) this.own.nextAttemptAt = value;
  }

  /** Without a usable token, callers are refused until this, on the monotonic clock. */
  get failFastUntil(): number {
    return this.troubles.failFastUntil;
  }
  set failFastUntil(value: number) {
    if (value !== this.troubles.failFastUntil) this.own.failFastUntil = value;
  }

  /** Failed flights in a row while a token was held. */
  get renewalFailures(): number {
    return this.troubles.renewalFailures;
  }
  set renewalFailures(value: number) {
    if (value !== this.troubles.renewalFailures) this.own.renewalFailures = value;
  }

  /** Failed flights in a row while none was. */
  get emptyFailures(): number {
    return this.troubles.emptyFailures;
  }
  set emptyFailures(value: number) {
    if (value !== this.troubles.emptyFailures) this.own.emptyFailures = value;
  }

  /** Flights since the last one that succeeded that left the renewal to another process. */
  get contentions(): number {
    return this.troubles.contentions;
  }
  set contentions(value: number) {
    if (value !== this.troubles.contentions) this.own.contentions = value;
  }

  get lastFailure(): SlotFailure | undefined {
    return this.troubles.lastFailure;
  }
  set lastFailure(value: SlotFailure | undefined) {
    if (value !== this.troubles.lastFailure) this.own.lastFailure = value;
  }

  /** The value an API rejected last: never adopted from the store. */
  get rejected(): RememberedValue | undefined {
    return this.troubles.rejected;
  }
  set rejected(value: RememberedValue | undefined) {
    if (value !== this.troubles.rejected) this.own.rejected = value;
  }

  /** Those rejected before it, by fingerprint: a slow store may still hold them. */
  get rejectedBefore(): readonly string[] | undefined {
    return this.troubles.rejectedBefore;
  }
  set rejectedBefore(value: readonly string[] | undefined) {
    if (value !== this.troubles.rejectedBefore) this.own.rejectedBefore = value;
  }

  /** A rejected value that the platform handed out again: it was never the problem. */
  get confirmed(): RememberedValue | undefined {
    return this.troubles.confirmed;
  }
  set confirmed(value: RememberedValue | undefined) {
    if (value !== this.troubles.confirmed) this.own.confirmed = value;
  }

  /** The value that the shared store did not take, twice. */
  get unshared(): string | undefined {
    return this.troubles.unshared;
  }
  set unshared(value: string | undefined) {
    if (value !== this.troubles.unshared) this.own.unshared = value;
  }

  /** The token that `minValidityMs` has already asked a longer-lived one for. */
  get longestAskedFor(): string | undefined {
    return this.troubles.longestAskedFor;
  }
  set longestAskedFor(value: string | undefined) {
    if (value !== this.troubles.longestAskedFor) this.own.longestAskedFor = value;
  }
}
