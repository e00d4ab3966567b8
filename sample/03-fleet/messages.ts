/** How a replica is doing, in totals since it started. */
export interface Report {
  reads: number;
  failedReads: number;
  /** The slowest read since the last report, in milliseconds. */
  slowestMs: number;
  apiCalls: number;
  /** API calls whose token the platform did not take. */
  rejected: number;
  /** Requests for a token that have ended. */
  platformCalls: number;
  /** Tokens taken over from Redis. */
  adopted: number;
  /** Times it found the lock taken, or went on without. */
  lockWaits: number;
  /** It has a request for a token under way, and so holds the lock. */
  isAsking: boolean;
  /** `up`, or `degraded` as long as Redis does not do its part. */
  health: string;
  /** The token that it read last; absent before the first. */
  held?: { fingerprint: string; obtainedAt: number };
}

/** What a replica says to the show. */
export type FromReplica = 'ready' | Report;

/** What the show says to a replica. */
export type ToReplica = 'read';
