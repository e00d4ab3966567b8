import { deadAtOf } from '../../lib/tokens/freshness.js';

/** A use of a token, right after it was read, that the platform rejected. Times are in milliseconds. */
export interface RejectedUse {
  value: string;
  /** From when it was obtained to its end. */
  lifeMs: number;
  /** Of its life, right before it was read. */
  leftMs: number;
  /** From then to the platform's answer. */
  tookMs: number;
}

/**
 * `stalled`: it was good when it was read, and came to its end on the way, as the machine stood still. `rejected`: all
 * else, above all a token that should not have been handed out any more.
 */
export function verdictOn({ lifeMs, leftMs, tookMs }: RejectedUse): 'stalled' | 'rejected' {
  const deadMarginMs = -deadAtOf(0, lifeMs);
  return leftMs >= deadMarginMs && tookMs > leftMs ? 'stalled' : 'rejected';
}
