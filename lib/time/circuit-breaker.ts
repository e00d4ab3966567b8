import { type Clock } from './clock.js';

export type BreakerState = 'closed' | 'open' | 'half-open';

const FAILURES_TO_OPEN = 3;
const OPEN_MS = 5_000;

/**
 * Stops calls to a store that does not answer, and lets one probe through every few seconds.
 * Not cockatiel's breaker: that one reads the wall clock, so a clock jump would open or close it.
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

  /** Returns whether the next operation may be sent. In the half-open state only one probe at a time may pass. */
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
