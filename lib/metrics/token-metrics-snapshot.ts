import { type TokenKind } from '../tokens/access-token.js';

/**
 * A distribution of durations. All but `count` in milliseconds; 0 without data.
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
 * What happened to tokens of one kind since the start.
 *
 * @publicApi
 */
export interface TokenKindMetrics {
  /** `hits + waits + failedFast`. A peek counts when it returns a token; `refresh()` and `invalidate()` do not. */
  requests: number;
  /** Answered from this process's memory without waiting. */
  hits: number;
  /** The hits among them while a renewal was due or failing. */
  staleServed: number;
  /** Calls that awaited a flight, the one that started it too. */
  waits: number;
  /** Calls refused at once because the last flight had just failed. */
  failedFast: number;
  /** `hits / requests`, 0..1; 0 without data. */
  hitRate: number;
  /** Flights that ended by adopting a token from the shared store. */
  storeHits: number;
  /** Flights that had to ask the platform. */
  misses: number;
  /** How long the waits took. */
  waitMs: DurationSummary;
  /** Requests to the platform for a token: `attempts = success + noop + failure`. */
  refresh: {
    attempts: number;
    success: number;
    /** The platform handed out the very token that was held. */
    noop: number;
    failure: number;
    /** Keyed by `FeishuAuthErrorCode`. */
    failuresByCode: Record<string, number>;
    /** `(success + noop) / attempts`, 0..1; 0 without data. */
    successRate: number;
    latencyMs: DurationSummary;
  };
  /** Tokens dropped because an API rejected them. */
  invalidations: number;
  /** Usable tokens held right now. */
  tokens: number;
}

/**
 * What one instance did since it started, as plain JSON. No secret and no token is in it.
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
    /** Renewals that left the work to whoever held the lock. */
    contended: number;
    /** Renewals that went on without the lock. */
    failedOpen: number;
    waitMs: DurationSummary;
  };
  store: {
    reads: number;
    writes: number;
    errors: number;
    timeouts: number;
    breaker: 'closed' | 'open' | 'half-open';
  };
  prewarm: {
    sweeps: number;
    refreshed: number;
    failed: number;
    /** Tokens in use that had run out before a sweep or a read renewed them. */
    late: number;
    /** Ticks left out because the sweep before was still running. */
    skipped: number;
    /** ISO 8601; absent before the first sweep. */
    lastSweepAt?: string;
  };
  /** What came in at the event URL; absent when the instance has no `events` option. */
  events?: {
    /** `accepted + duplicates + challenges + rejected`, but for what is being looked at right now. */
    received: number;
    accepted: number;
    /** Redeliveries of what was handled before: acknowledged, and not handled again. */
    duplicates: number;
    challenges: number;
    rejected: number;
    /** Keyed by `EventRefusalReason`. */
    rejectedByReason: Record<string, number>;
    /** Deliveries that this process judged alone, because the lock did not answer. */
    unguarded: number;
    /** Calls of `@OnFeishuEvent` methods. `dropped`: too many were waiting. */
    handlers: { done: number; failed: number; dropped: number; pending: number };
  };
}
