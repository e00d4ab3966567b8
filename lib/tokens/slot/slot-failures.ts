import { type FeishuAuthError } from '../../errors/feishu-auth.error.js';

/** A value, known by its fingerprint until a time on the monotonic clock. */
export interface RememberedValue {
  readonly fingerprint: string;
  readonly until: number;
}

/** The error of a flight that failed. */
export interface SlotFailure {
  readonly error: FeishuAuthError;
  readonly atWallMs: number;
}

/** Why no attempt starts for a while. */
export interface SlotPause {
  readonly error: FeishuAuthError;
  /** On the monotonic clock. */
  readonly until: number;
  /** Callers cannot cut it short: Feishu asked for it, or only a human can fix the cause. */
  readonly isBinding: boolean;
}

/**
 * What a slot remembers when its tokens cause trouble. Most slots never do, so each slot gets one of these only when it
 * has something to remember.
 */
export class SlotFailures {
  /** No background attempt starts before this, on the monotonic clock. */
  nextAttemptAt = -Infinity;
  /** Without a usable token, callers are refused until this, on the monotonic clock. */
  failFastUntil = -Infinity;
  /** Failed flights in a row while a token was held. */
  whileHeld = 0;
  /** Failed flights in a row while none was held. */
  whileEmpty = 0;
  /** Flights in a row that left the renewal to another process. */
  contentions = 0;
  /** The pause in force, if it is not over; a success ends it. */
  pause: SlotPause | undefined = undefined;
  /** The last failure; kept after a success, as history. */
  last: SlotFailure | undefined = undefined;
  /** The value that an API rejected last: it is not adopted from the store. */
  rejected: RememberedValue | undefined = undefined;
  /** The values rejected before it, by fingerprint: a slow store may still hold them. */
  rejectedBefore: readonly string[] | undefined = undefined;
  /** A rejected value that Feishu returned again: the token was not the problem. */
  confirmed: RememberedValue | undefined = undefined;
  /** The value that the shared store did not accept, twice. */
  unshared: string | undefined = undefined;
  /** The token that Feishu returned when `minValidityMs` asked for a longer-lived one. */
  longestLived: string | undefined = undefined;
}
