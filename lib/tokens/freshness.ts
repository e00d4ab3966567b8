/**
 * When a token is renewed, how it is paced when that fails, and when it may no longer be used: pure functions,
 * clock in, state out. Every duration is in milliseconds.
 *
 * A token's times lie on one axis, which starts at the wall clock of the moment it was asked for and from there goes
 * on by whichever clock is further: the wall clock (it sees a machine that slept) or the monotonic one (it sees a wall
 * clock that was set back). See {@link tokenTime}.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** With this much left or more the platform hands out the same token again. */
export const SAME_TOKEN_WINDOW_MS = 30 * MINUTE;

/** Lives below this have windows in proportion: they never see the 30-minute rule from its far side. */
const SHORT_LIFE_MS = 31 * MINUTE;

/** The times at which a token changes state. `refreshAt <= mustAt <= deadAt < expiresAt`. */
export interface TokenWindows {
  readonly refreshAt: number;
  readonly mustAt: number;
  readonly deadAt: number;
  readonly expiresAt: number;
}

/** The time by which a token is judged. `anchor` is wall minus monotonic at the moment it was asked for. */
export function tokenTime(wall: number, monotonic: number, anchor: number): number {
  return Math.max(wall, monotonic + anchor);
}

/** From then on a renewal may no longer be left to another process. */
export function mustAtOf(expiresAt: number, lifeMs: number): number {
  return expiresAt - (isShort(lifeMs) ? Math.min(MINUTE, 0.1 * lifeMs) : MINUTE);
}

/** From then on the token is not given out any more. */
export function deadAtOf(expiresAt: number, lifeMs: number): number {
  return expiresAt - (isShort(lifeMs) ? Math.min(10 * SECOND, 0.05 * lifeMs) : 10 * SECOND);
}

function isShort(lifeMs: number): boolean {
  return lifeMs < SHORT_LIFE_MS;
}

/**
 * @param lifeMs the token's whole life as first seen
 * @param aheadMs how long before its end a token is renewed: the range to draw from
 * @param draw in [0, 1), the same for this process, key and token every time
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

/** What a slot knows that decides a read. Times of pacing are on the monotonic clock. */
export interface FreshnessView {
  readonly windows: TokenWindows | undefined;
  /** The last attempt to renew the held token failed. */
  readonly renewalFailed: boolean;
  /** No background attempt before this. */
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
 * The platform handed out the very token that is held: when to ask again. Not before it would hand out another one,
 * and never in a loop.
 */
export function nextAttemptAfterNoop(expiresAt: number, time: number): number {
  const pause = clamp(0.1 * (expiresAt - time), 2 * SECOND, MINUTE);
  return Math.max(expiresAt - SAME_TOKEN_WINDOW_MS + 5 * SECOND, time + pause);
}

/** Between background attempts: 1 s doubling to 60 s, times U(0.5, 1). */
export function backgroundBackoff(consecutiveFailures: number, random: number): number {
  return jittered(Math.min(MINUTE, SECOND * 2 ** (consecutiveFailures - 1)), random);
}

/** Between probes while callers go without: 0.5 s doubling to 15 s, times U(0.5, 1). */
export function failFastBackoff(consecutiveFailures: number, random: number): number {
  return jittered(Math.min(15 * SECOND, 0.5 * SECOND * 2 ** (consecutiveFailures - 1)), random);
}

/** Between probes when credentials, app or tenant were rejected: a human has to mend that. */
export const PERMANENT_FAILURE_PAUSE_MS = MINUTE;

/**
 * Before looking again at a key whose renewal another process has under way: 1 to 2 s, doubling to a minute while nothing
 * comes of it. In an outage a large fleet would otherwise do little else than look.
 */
export function contendedPause(contentions: number, random: number): number {
  return Math.min(MINUTE / 2, SECOND * 2 ** (contentions - 1)) * (1 + random);
}

/** A pause after a failed background attempt, cut short so that `mustAt` gets an attempt of its own. */
export function pauseBeforeMust(pauseMs: number, windows: TokenWindows, time: number): number {
  return time < windows.mustAt ? Math.min(pauseMs, windows.mustAt - time) : pauseMs;
}

function jittered(ms: number, random: number): number {
  return ms * (0.5 + 0.5 * random);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
