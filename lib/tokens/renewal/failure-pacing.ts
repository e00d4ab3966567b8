import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { isPermanent } from '../../platform/error-codes.js';
import { type Clock } from '../../time/clock.js';
import {
  backgroundBackoff,
  contendedPause,
  failFastBackoff,
  pauseBeforeMust,
  PERMANENT_FAILURE_PAUSE_MS,
} from '../freshness.js';
import { type TokenSlot } from '../slot/token-slot.js';

/** Writes a failed flight into its slot: when the next attempt may start, and whether callers are refused till then. */
export function paceAfterFailure(
  slot: TokenSlot,
  error: FeishuAuthError,
  hadWaiters: boolean,
  clock: Clock,
  random: number,
): FeishuAuthError {
  const held = slot.usable();
  const failures = held ? ++slot.renewalFailures : ++slot.emptyFailures;
  const backoff = held ? backgroundBackoff(failures, random) : failFastBackoff(failures, random);
  const asked = askedPause(error, clock) ?? backoff;
  const pause = held ? pauseBeforeMust(asked, held, slot.time()) : asked;
  const until = clock.monotonic() + pause;
  slot.nextAttemptAt = until;
  // A failure that nobody waited for never makes an empty slot fail fast: the first read after a token's death tries.
  if (!held && hadWaiters) slot.failFastUntil = until;
  const told = withRetryAt(error, new Date(clock.now() + pause));
  slot.lastFailure = { error: told, atWallMs: clock.now() };
  return told;
}

/** Writes into its slot that another process has the renewal under way: when to look what came of it. */
export function paceAfterContention(slot: TokenSlot, clock: Clock, random: number): void {
  const held = slot.usable();
  const pause = contendedPause(++slot.contentions, random);
  slot.nextAttemptAt = clock.monotonic() + (held ? pauseBeforeMust(pause, held, slot.time()) : pause);
}

/** What every caller gets while the slot fails fast: the last failure again, as an error of its own. */
export function failFastError(slot: TokenSlot, clock: Clock): FeishuAuthError {
  const retryAt = new Date(clock.now() + Math.max(0, slot.nextAttemptAt - clock.monotonic()));
  const last = slot.lastFailure?.error;
  return last
    ? withRetryAt(last, retryAt)
    : new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the last attempt failed', {
        retryable: true,
        retryAt,
      });
}

/** A pause that the failure itself asks for. */
function askedPause(error: FeishuAuthError, clock: Clock): number | undefined {
  if (isPermanent(error.code)) return PERMANENT_FAILURE_PAUSE_MS;
  return error.retryAt && Math.max(0, error.retryAt.getTime() - clock.now());
}

function withRetryAt(error: FeishuAuthError, retryAt: Date): FeishuAuthError {
  const { code, message, retryable, feishuCode, logId, cause } = error;
  return new FeishuAuthError(code, message, { retryable, retryAt, feishuCode, logId, cause });
}

/** Whether the last failure asked for a pause that nobody may cut short: the platform's own, or one for a human. */
export function isCoolingDown(slot: TokenSlot, clock: Clock): boolean {
  const code = slot.lastFailure?.error.code;
  const isBinding = code !== undefined && (isPermanent(code) || code === 'ERR_FEISHU_RATE_LIMITED');
  return isBinding && clock.monotonic() < slot.nextAttemptAt;
}
