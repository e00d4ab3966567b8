import { LRUCache } from 'lru-cache';
import { type Clock } from '../../time/clock.js';
import { type LoginClaim } from '../record/login-record.js';

/** The clocks of two processes are not further apart than this. If they are, a claim is watched to its end. */
const MAX_SKEW_MS = 5 * 60_000;
/** Claims are short: only those of crashed processes are watched for long. */
const MAX_WATCHED = 10_000;

interface Sighting {
  readonly id: string;
  /** When this process saw the claim first, on the monotonic clock. */
  readonly at: number;
}

/**
 * Tells when the claim of another process is over. A claim says by the clock of its writer when it began. A clock that is
 * ahead would end it early, and one that is behind would keep it: so it is over once this process has watched it for its
 * whole length, or once it ended longer ago than clocks are apart.
 */
export class ClaimWatch {
  private readonly sightings: LRUCache<string, Sighting>;

  constructor(private readonly clock: Clock) {
    this.sightings = new LRUCache({ max: MAX_WATCHED });
  }

  isOver(key: string, claim: LoginClaim): boolean {
    return this.remainingMs(key, claim) <= 0;
  }

  /** How long the claim may still run, as far as this process can tell. */
  remainingMs(key: string, claim: LoginClaim): number {
    const { at } = this.sightingOf(key, claim.id, this.clock.monotonic());
    const byWatching = claim.ms - (this.clock.monotonic() - at);
    const byWallClock = claim.at + claim.ms + MAX_SKEW_MS - this.clock.now();
    return Math.min(byWatching, byWallClock);
  }

  /** This process made the claim itself, at `monotonic`. */
  began(key: string, claim: LoginClaim, monotonic: number): void {
    this.sightingOf(key, claim.id, monotonic);
  }

  private sightingOf(key: string, id: string, monotonic: number): Sighting {
    const known = this.sightings.get(key);
    if (known?.id === id) return known;
    const sighting = { id, at: monotonic };
    this.sightings.set(key, sighting);
    return sighting;
  }
}
