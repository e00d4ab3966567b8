import { type TokenKind } from '../tokens/access-token.js';
import { type ReauthorizationReason } from '../errors/reauthorization-reason.js';

/**
 * A distribution of durations. All fields except `count` are in milliseconds; 0 without data.
 *
 * @publicApi
 */
export interface DurationSummary {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * The former name of {@link DurationSummary}.
 *
 * @publicApi
 */
export type Summary = DurationSummary;

/**
 * What happened to the tokens of one kind since the start.
 *
 * @publicApi
 */
export interface TokenKindMetrics {
  /** `hits + waits + failedFast`. A peek counts if it returns a token; `refresh()` and `invalidate()` do not count. */
  requests: number;
  /** Reads answered from this process's memory, without a wait. */
  hits: number;
  /** Those of the hits that came while a renewal was due or failing. */
  staleServed: number;
  /** Calls that awaited a flight, the one that started it included. */
  waits: number;
  /** Calls refused at once, because the last flight had just failed. */
  failedFast: number;
  /** `hits / requests`, 0..1; 0 without data. */
  hitRate: number;
  /** Flights that adopted a token from the shared store. */
  storeHits: number;
  /** Flights that had to ask Feishu. */
  misses: number;
  /** The duration of the waits. */
  waitMs: DurationSummary;
  /** Requests to Feishu for a token: `attempts = success + noop + failure`. */
  refresh: {
    attempts: number;
    success: number;
    /** Feishu returned the held token again. */
    noop: number;
    failure: number;
    /** Keyed by `FeishuAuthErrorCode`. */
    failuresByCode: Record<string, number>;
    /** `(success + noop) / attempts`, 0..1; 0 without data. */
    successRate: number;
    latencyMs: DurationSummary;
  };
  /** Tokens dropped, because an API rejected them. */
  invalidations: number;
  /** Usable tokens that this process holds now. */
  tokens: number;
}

/**
 * What one instance did since it started, as plain JSON. It has no secret and no token.
 *
 * @publicApi
 */
export interface TokenMetricsSnapshot {
  /** `'default'`, or the name of the instance. */
  instance: string;
  /** When counting began, ISO 8601. */
  since: string;
  /** When this snapshot was taken, ISO 8601. */
  at: string;
  kinds: Record<TokenKind, TokenKindMetrics>;
  lock: {
    acquired: number;
    /** Renewals left to the holder of the lock. */
    contended: number;
    /** Renewals made without the lock. */
    failedOpen: number;
    waitMs: DurationSummary;
    /** Why the lock does not work; absent while it does. */
    problem?: string;
  };
  store: {
    reads: number;
    writes: number;
    errors: number;
    timeouts: number;
    breaker: 'closed' | 'open' | 'half-open';
    /** Why the store does not work, such as `writes fail: READONLY ...`; absent while it does. */
    problem?: string;
  };
  prewarm: {
    sweeps: number;
    refreshed: number;
    failed: number;
    /** Tokens in use that expired before a sweep or a read renewed them. */
    late: number;
    /** Ticks skipped, because the sweep before was still running. */
    skipped: number;
    /** ISO 8601; absent before the first sweep. */
    lastSweepAt?: string;
  };
  /** Logins of users. Absent without the `users` option. */
  users?: {
    /** Refresh tokens that were exchanged. */
    rotations: number;
    /** Logins whose new tokens are not stored yet. More than 0 for long: the store of logins does not work. */
    uncommitted: number;
    /** Logins that ended, by reason. */
    reauthorizations: Record<ReauthorizationReason, number>;
    /** Claims that ran out before their rotation was stored. */
    claimsLost: number;
    /** Rotations that another process finished from the journal. */
    journalRecovered: number;
  };
  /** The deliveries at the event URL; absent when the instance has no `events` option. */
  events?: {
    /** `accepted + duplicates + challenges + rejected + busy`, and the deliveries that are being checked now. */
    received: number;
    accepted: number;
    /** Redeliveries of handled events: acknowledged, and not handled again. */
    duplicates: number;
    challenges: number;
    rejected: number;
    /** Answered 503, because too many events waited for their handlers. Feishu delivers them again. */
    busy: number;
    /** Keyed by `EventRefusalReason`. */
    rejectedByReason: Record<string, number>;
    /** Deliveries that this process checked for duplicates alone, because the lock did not answer. */
    unguarded: number;
    /**
     * Claims that the in-process lock dropped before their end, because it held too many: an event that is delivered
     * again after that is handled again.
     */
    droppedClaims: number;
    /** Calls of `@OnFeishuEvent` methods. `dropped`: the application closed before they ended. */
    handlers: { done: number; failed: number; dropped: number; pending: number };
  };
}
