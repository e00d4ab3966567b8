import { type AccessToken } from '../access-token.js';
import { type TokenWindows } from '../freshness.js';

/** A token as one process holds it. Its windows lie on the axis of `tokenTime`. */
export interface HeldToken extends TokenWindows {
  readonly value: string;
  /** Resolved with `value` once, so that a read awaits it without allocating. */
  readonly promise: Promise<string>;
  /** Wall minus monotonic clock when it was asked for. */
  readonly anchor: number;
  /** Its whole life as first seen, in milliseconds. */
  readonly lifeMs: number;
  /** Wall clock of the process that asked for it, epoch milliseconds. */
  readonly obtainedAt: number;
  readonly source: Exclude<AccessToken['source'], 'memory'>;
}
