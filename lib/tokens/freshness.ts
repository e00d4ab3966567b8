/**
 * When a token is renewed, how failed renewals are paced, and when a token may no longer be used. Pure functions: the
 * clock goes in, the state comes out. Every duration is in milliseconds.
 *
 * The times of a token lie on one axis. It starts at the wall clock of the moment when the token was requested, and
 * goes on by the clock that is further ahead: the wall clock sees a machine that slept, the monotonic clock sees a wall
 * clock that was set back. See {@link tokenTime}.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Asked with this much life left or more, Feishu returns the same token again. */
export const SAME_TOKEN_WINDOW_MS = 30 * MINUTE;

/** Shorter lives have windows in proportion: the 30-minute rule does not apply to them. */
const SHORT_LIFE_MS = 31 * MINUTE;

/** The times at which a token changes state. `refreshAt <= mustAt <= deadAt < expiresAt`. */
export interface TokenWindows {
  readonly refreshAt: number;
  readonly mustAt: number;
  readonly deadAt: number;
  readonly expiresAt: number;
}

/** The time by which a token is judged. `anchor` is wall minus monotonic clock when the token was requested. */
export function tokenTime(wall: number, monotonic: number, anchor: number): number {
  return Math.max(wall, monotonic + anchor);
}

/** How long before a token's end this process must renew it, and may not leave that to another process. */
export const MUST_REFRESH_MS = MINUTE;

/** The time from which on a renewal may not be left to another process. */
export function mustAtOf(expiresAt: number, lifeMs: number): number {
  return expiresAt - (isShort(lifeMs) ? Math.min(MUST_REFRESH_MS, 0.1 * lifeMs) : MUST_REFRESH_MS);
}

/** The time from which on callers do not get the token. */
export function deadAtOf(expiresAt: number, lifeMs: number): number {
  return expiresAt - (isShort(lifeMs) ? Math.min(10 * SECOND, 0.05 * lifeMs) : 10 * SECOND);
}

function isShort(lifeMs: number): boolean {
  return lifeMs < SHORT_LIFE_MS;
}

/**
 * @param lifeMs the token's whole life as first seen
 * @param aheadMs how long before its end a token is renewed: the range to draw from
 * @param draw in [0, 1), always the same for this process, key and token
 */
export function windowsOf(
  expiresAt: number,
  lifeMs: number,
  aheadMs: readonly [min: number, max: number],
  draw: number,
): TokenWindows {
  const [min, max] = aheadMs;
  const mustAt = mustAtOf(expiresAt, lifeMs);
  const deadAt = deadAtOf(expiresAt, lifeMs);
  const refreshAt = isShort(lifeMs)
    ? expiresAt - lifeMs * (1 - (0.5 + 0.2 * draw))
    : expiresAt - (min + draw * (max - min));
  return { refreshAt: Math.min(refreshAt, mustAt), mustAt, deadAt, expiresAt };
}

/** What a slot knows that decides a read. The times of pacing are on the monotonic clock. */
export interface FreshnessView {
  readonly windows: TokenWindows | undefined;
  /** The last attempt to renew the held token failed. */
  readonly renewalFailed: boolean;
  /** No background attempt starts before this. */
  readonly nextAttemptAt: number;
  /** Without a usable token, callers are refused until this. */
  readonly failFastUntil: number;
}

export type Freshness = 'fresh' | 'refresh-ahead' | 'stale-but-valid' | 'must-refresh' | 'empty' | 'failing';

/** @param time on the token's axis, see {@link tokenTime} */
export function freshnessOf(view: FreshnessView, time: number, monotonic: number): Freshness {
  const { windows } = view;
  if (windows !== undefined && time < windows.deadAt) {
    if (time < windows.refreshAt) return 'fresh';
    if (time >= windows.mustAt) return 'must-refresh';
    return view.renewalFailed ? 'stale-but-valid' : 'refresh-ahead';
  }
  return monotonic < view.failFastUntil ? 'failing' : 'empty';
}

/** Whether a background attempt may start now. */
export function isRenewalDue(view: FreshnessView, freshness: Freshness, monotonic: number): boolean {
  switch (freshness) {
    case 'refresh-ahead':
    case 'stale-but-valid':
    case 'must-refresh':
      return monotonic >= view.nextAttemptAt;
    default:
      return false;
  }
}

/**
 * Feishu returned the held token again: the time of the next attempt. Not before Feishu would return another one, and
 * never at once.
 */
export function nextAttemptAfterNoop(expiresAt: number, time: number): number {
  const pause = clamp(0.1 * (expiresAt - time), 2 * SECOND, MINUTE);
  return Math.max(expiresAt - SAME_TOKEN_WINDOW_MS + 5 * SECOND, time + pause);
}

/** Between background attempts: 1 s doubling to 60 s, times U(0.5, 1). */
export function backgroundBackoff(consecutiveFailures: number, random: number): number {
  return jittered(Math.min(MINUTE, SECOND * 2 ** (consecutiveFailures - 1)), random);
}

/** Between probes while callers get no token: 0.5 s doubling to 15 s, times U(0.5, 1). */
export function failFastBackoff(consecutiveFailures: number, random: number): number {
  return jittered(Math.min(15 * SECOND, 0.5 * SECOND * 2 ** (consecutiveFailures - 1)), random);
}

/** Between probes while Feishu rejects the credentials, the app or the tenant: only a human can fix that. */
export const PERMANENT_FAILURE_PAUSE_MS = MINUTE;

/**
 * Before the next look at a key that another process is renewing: 1 to 2 s, doubling to a minute while no token comes of
 * it. Shorter pauses would keep a large fleet busy with looking during an outage.
 */
export function contendedPause(contentions: number, random: number): number {
  return Math.min(MINUTE / 2, SECOND * 2 ** (contentions - 1)) * (1 + random);
}

/** Shortens a pause so that one attempt is made at `mustAt`. */
export function pauseBeforeMust(pauseMs: number, windows: TokenWindows, time: number): number {
  return time < windows.mustAt ? Math.min(pauseMs, windows.mustAt - time) : pauseMs;
}

function jittered(ms: number, random: number): number {
  return ms * (0.5 + 0.5 * random);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
