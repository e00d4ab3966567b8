import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type TokenKind } from './access-token.js';

/** Counted in place by every read, so that the hot path costs an increment and no call. */
export interface ReadCounters {
  hits: number;
  staleServed: number;
}

/** How one request to the platform ended. `noop`: the platform handed out the very token that was held. */
export type AttemptOutcome = 'success' | 'noop' | FeishuAuthErrorCode;

/**
 * What tokens/ tells about itself. metrics/ implements it; tokens/ knows no more about who listens.
 *
 * @internal
 */
export interface TokenObserver {
  readCounters(kind: TokenKind): ReadCounters;
  /** A call that awaited a flight is done waiting, however it ended. */
  waited(kind: TokenKind, waitMs: number): void;
  /** A call was refused at once because the last flight failed a moment ago. */
  failedFast(kind: TokenKind): void;
  /** A flight ended by taking over a token from the shared store. */
  adopted(kind: TokenKind): void;
  /** A flight found nothing to adopt and asked the platform. */
  missed(kind: TokenKind): void;
  /** One request to the platform for a token is over. */
  attempted(kind: TokenKind, outcome: AttemptOutcome, latencyMs: number): void;
  /** A token was renewed after it could no longer be used. */
  renewedLate(kind: TokenKind): void;
  /** An API rejected exactly the token that was held. */
  invalidated(kind: TokenKind): void;
  lockAcquired(waitMs: number): void;
  /** A flight left the work to whoever holds the lock: at once, or when its token was in the store. */
  lockContended(waitMs?: number): void;
  lockFailedOpen(waitMs: number): void;
}
