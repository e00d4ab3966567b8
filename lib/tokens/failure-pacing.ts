import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { isPermanent } from '../platform/error-codes.js';
import {
  backgroundBackoff,
  contendedPause,
  failFastBackoff,
  pauseBeforeMust,
  PERMANENT_FAILURE_PAUSE_MS,
  type TokenWindows,
} from './freshness.js';

/** A token that is still usable while its renewal does not succeed, and the time on its axis. */
export interface HeldDuringPause {
  readonly windows: TokenWindows;
  readonly time: number;
}

/** How long to wait after the `failures`th failed flight in a row, in milliseconds. */
export function pauseAfterFailure(
  error: FeishuAuthError,
  failures: number,
  held: HeldDuringPause | undefined,
  wallMs: number,
  random: number,
): number {
  const backoff = held ? backgroundBackoff(failures, random) : failFastBackoff(failures, random);
  return beforeMust(requestedPause(error, wallMs) ?? backoff, held);
}

/** How long to wait after the `contentions`th flight in a row that left the renewal to another process. */
export function pauseAfterContention(
  contentions: number,
  held: HeldDuringPause | undefined,
  random: number,
): number {
  return beforeMust(contendedPause(contentions, random), held);
}

/** Whether no caller may cut the pause after `error` short: Feishu asked for it, or only a human can fix the cause. */
export function isBindingPause(error: FeishuAuthError): boolean {
  return isPermanent(error.code) || error.code === 'ERR_FEISHU_RATE_LIMITED';
}

/** A new error for each caller, so that no caller changes what another one gets. */
export function withRetryAt(error: FeishuAuthError, retryAt: Date): FeishuAuthError {
  const { code, message, retryable, feishuCode, logId, reason, challengeUrl, missingScopes, cause } = error;
  const details = { retryable, feishuCode, logId, reason, challengeUrl, missingScopes, cause };
  // No time makes a user log in: the next read looks again at once.
  const isForUser = code === 'ERR_FEISHU_REAUTHORIZATION_REQUIRED';
  return new FeishuAuthError(code, message, isForUser ? details : { ...details, retryAt });
}

/** The pause that the failure itself asks for. */
function requestedPause(error: FeishuAuthError, wallMs: number): number | undefined {
  if (isPermanent(error.code)) return PERMANENT_FAILURE_PAUSE_MS;
  // The user may have logged in at another process in the meantime, and the store is asked instead of Feishu.
  if (error.code === 'ERR_FEISHU_REAUTHORIZATION_REQUIRED') return 0;
  return error.retryAt && Math.max(0, error.retryAt.getTime() - wallMs);
}

function beforeMust(pauseMs: number, held: HeldDuringPause | undefined): number {
  return held ? pauseBeforeMust(pauseMs, held.windows, held.time) : pauseMs;
}
