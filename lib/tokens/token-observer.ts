import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type TokenKind } from './access-token.js';

/** Every read counts in place: an increment costs less than a call. */
export interface ReadCounters {
  hits: number;
  staleServed: number;
}

/** How one request to Feishu ended. `noop`: Feishu returned the held token again. */
export type AttemptOutcome = 'success' | 'noop' | FeishuAuthErrorCode;

/**
 * Receives what happens in tokens/. metrics/ implements it.
 *
 * @internal
 */
export interface TokenObserver {
  readCounters(kind: TokenKind): ReadCounters;
  /** A call stopped waiting for a flight, with a token or an error. */
  waited(kind: TokenKind, waitMs: number): void;
  /** A call was refused at once, because the last flight had just failed. */
  failedFast(kind: TokenKind): void;
  /** A flight adopted a token from the shared store. */
  adopted(kind: TokenKind): void;
  /** A flight found nothing to adopt and asked Feishu. */
  missed(kind: TokenKind): void;
  /** One request to Feishu for a token ended. */
  attempted(kind: TokenKind, outcome: AttemptOutcome, latencyMs: number): void;
  /** A token was renewed after its end. */
  renewedLate(kind: TokenKind): void;
  /** An API rejected the held token. */
  invalidated(kind: TokenKind): void;
  lockAcquired(waitMs: number): void;
  /** A flight left the renewal to the holder of the lock, at once or when the holder's token was in the store. */
  lockContended(waitMs?: number): void;
  lockFailedOpen(waitMs: number): void;
}
