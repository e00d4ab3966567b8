import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { type Clock } from '../time/clock.js';
import { withDeadline } from '../time/deadline.js';
import { MAX_AHEAD_MS } from './event-time.js';

/** The last redelivery comes 6 h 20 min after the first: an event's id is remembered longer, whatever the window. */
const MIN_ID_TTL_MS = 8 * 60 * 60_000;
/** The clocks of two hosts may differ. */
const MARGIN_MS = 10 * 60_000;
/** A lock that does not answer within this is gone without; two of these fit into the platform's three seconds. */
const LOCK_ANSWER_MS = 500;
/** What one process remembers by itself: hours of an ordinary app's events, minutes of a flood. */
const MAX_LOCAL_CLAIMS = 20_000;

/** @internal */
export interface EventClaimsDependencies {
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly maxSkewMs: number;
  /** The lock's key for what is claimed. */
  readonly keyOf: (claim: string) => string;
  /** A claim was decided by this process alone, because the lock did not answer. */
  readonly onUnguarded: () => void;
}

/**
 * First come, first served, across the fleet: a claim is a lease that nobody releases, and lasts longer than what it
 * guards against can come in. A lock that cannot be asked lets this process decide by what it remembers itself: an event
 * that two processes handle is better than one that is lost.
 */
export class EventDeduplicator {
  private readonly own: LRUCache<string, true>;
  private readonly windowMs: number;

  constructor(private readonly deps: EventClaimsDependencies) {
    const { clock, maxSkewMs } = deps;
    this.windowMs = maxSkewMs + MAX_AHEAD_MS + MARGIN_MS;
    this.own = new LRUCache({
      max: MAX_LOCAL_CLAIMS,
      ttl: Math.max(this.windowMs, MIN_ID_TTL_MS),
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
    });
  }

  /** Whether this delivery's timestamp and nonce are seen for the first time. */
  claimProof(proof: string): Promise<boolean> {
    return this.claim(`proof-${digestOf(proof)}`, this.windowMs);
  }

  /** Whether this event, whatever its deliveries, is seen for the first time. */
  claimEvent(eventId: string): Promise<boolean> {
    return this.claim(`id-${digestOf(eventId)}`, Math.max(this.windowMs, MIN_ID_TTL_MS));
  }

  private async claim(claim: string, ttlMs: number): Promise<boolean> {
    if (this.own.has(claim)) return false;
    // Before the lock is asked: the same delivery may be under way twice.
    this.own.set(claim, true);
    const { lock, clock, keyOf, onUnguarded } = this.deps;
    try {
      const asked = Promise.resolve().then(() => lock.acquire(keyOf(claim), { ttlMs, waitMs: 0 }));
      const lease = await withDeadline(clock, asked, LOCK_ANSWER_MS, () => new Error('no answer'));
      return lease !== undefined;
    } catch {
      onUnguarded();
      return true;
    }
  }
}

/** Of bounded length, and telling nothing of what was sent. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
