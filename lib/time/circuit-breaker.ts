import { type Clock } from './clock.js';

export type BreakerState = 'closed' | 'open' | 'half-open';

const FAILURES_TO_OPEN = 3;
const OPEN_MS = 5_000;

/**
 * Stops asking a store that does not answer, and lets one probe through every few seconds.
 * Our own, because cockatiel's breaker reads the wall clock itself: neither a clock jump nor a test could be told.
 */
export class CircuitBreaker {
  private failures = 0;
  private openUntil = -Infinity;
  private probing = false;

  constructor(private readonly clock: Clock) {}

  get state(): BreakerState {
    if (this.failures < FAILURES_TO_OPEN) return 'closed';
    return this.probing || this.clock.monotonic() >= this.openUntil ? 'half-open' : 'open';
  }

  /** Whether the next operation may be sent. In half-open, true for one probe at a time. */
  tryPass(): boolean {
    switch (this.state) {
      case 'closed':
        return true;
      case 'open':
        return false;
      case 'half-open':
        if (this.probing) return false;
        this.probing = true;
        return true;
    }
  }

  succeeded(): void {
    this.failures = 0;
    this.probing = false;
  }

  failed(): void {
    this.failures++;
    this.probing = false;
    if (this.failures >= FAILURES_TO_OPEN) this.openUntil = this.clock.monotonic() + OPEN_MS;
  }
}
