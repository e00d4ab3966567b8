import { type AccessToken } from '../access-token.js';
import { type TokenWindows } from '../freshness.js';

/** A token as one process holds it. Its windows lie on the axis of `tokenTime`. */
export interface HeldToken extends TokenWindows {
  readonly value: string;
  /** Already resolved with `value`, so that a read does not allocate. */
  readonly promise: Promise<string>;
  /** Wall minus monotonic clock when the token was requested. */
  readonly anchor: number;
  /** The whole life as first seen, in milliseconds. */
  readonly lifeMs: number;
  /** Wall clock of the process that requested the token, epoch milliseconds. */
  readonly obtainedAt: number;
  readonly source: Exclude<AccessToken['source'], 'memory'>;
}
