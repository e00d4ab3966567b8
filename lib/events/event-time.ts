import { MAX_CLOCK_LEAD_MS } from '../platform/event-clock.js';

/** `X-Lark-Request-Timestamp`, 10 digits (seconds) or 13 (milliseconds), in epoch milliseconds. */
export function deliveryTime(timestamp: string): number | undefined {
  if (/^\d{10}$/.test(timestamp)) return Number(timestamp) * 1_000;
  return /^\d{13}$/.test(timestamp) ? Number(timestamp) : undefined;
}

/** @param maxSkewMs how old a delivery may be, in milliseconds */
export function isTimely(timestamp: string, now: number, maxSkewMs: number): boolean {
  const at = deliveryTime(timestamp);
  return at !== undefined && at <= now + MAX_CLOCK_LEAD_MS && at >= now - maxSkewMs;
}

/**
 * The time of an event, in epoch milliseconds. `ts` is in seconds with a fraction; `create_time` is documented in two
 * units and seen in more, so its size decides.
 */
export function eventTime(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^\d{9,19}(\.\d+)?$/.test(text)) return undefined;
  let time = Number(text);
  if (time < 1e11) time *= 1_000;
  while (time >= 1e14) time /= 1_000;
  return time;
}
