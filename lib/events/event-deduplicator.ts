import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { claimKey } from '../lock/claim-key.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { MAX_CLOCK_LEAD_MS } from '../platform/event-clock.js';
import { type Clock } from '../time/clock.js';

/** Feishu redelivers an event for 6 h 20 min. Its id is remembered for longer, however short the window is. */
const MIN_ID_TTL_MS = 8 * 60 * 60_000;
/** The clocks of two hosts may differ by this much. */
const MARGIN_MS = 10 * 60_000;
/** What one process remembers without the lock: hours of an ordinary app's events, minutes of a flood. */
const MAX_LOCAL_CLAIMS = 20_000;

export interface EventDeduplicatorDependencies {
  readonly lock: RefreshLock;
  readonly clock: Clock;
  readonly maxSkewMs: number;
  /** The lock's key for a claim. */
  readonly keyOf: (claim: string) => string;
  /** The lock did not answer, so this process decided alone. */
  readonly onUnguarded: () => void;
}

/**
 * Lets one process of the fleet handle an event: the first that claims it. A claim lasts longer than its event can be
 * delivered. When the lock does not answer, this process decides by its own memory: an event that two processes handle
 * is better than a lost one.
 */
export class EventDeduplicator {
  private readonly local: LRUCache<string, true>;
  private readonly windowMs: number;

  constructor(private readonly deps: EventDeduplicatorDependencies) {
    const { clock, maxSkewMs } = deps;
    this.windowMs = maxSkewMs + MAX_CLOCK_LEAD_MS + MARGIN_MS;
    this.local = new LRUCache({
      max: MAX_LOCAL_CLAIMS,
      ttl: Math.max(this.windowMs, MIN_ID_TTL_MS),
      ttlResolution: 0,
      perf: { now: () => clock.monotonic() },
    });
  }

  /** Whether the timestamp and nonce of this delivery are new. */
  claimProof(proof: string): Promise<boolean> {
    return this.claim(`proof-${digestOf(proof)}`, this.windowMs);
  }

  /** Whether this event is new, however often it was delivered. */
  claimEvent(eventId: string): Promise<boolean> {
    return this.claim(`id-${digestOf(eventId)}`, Math.max(this.windowMs, MIN_ID_TTL_MS));
  }

  private async claim(claim: string, ttlMs: number): Promise<boolean> {
    if (this.local.has(claim)) return false;
    // Before the lock is asked: this process may receive the same delivery twice at once.
    this.local.set(claim, true);
    const { lock, clock, keyOf, onUnguarded } = this.deps;
    const outcome = await claimKey(lock, clock, keyOf(claim), ttlMs);
    if (outcome === 'unanswered') onUnguarded();
    return outcome !== 'taken';
  }
}

/** A key of bounded length that does not reveal what was sent. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
