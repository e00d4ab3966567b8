import { type Spread } from '../statistics.js';

/** As many digits as mean something: three. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size >= 10) return trimmed(value.toFixed(1));
  return trimmed(value.toFixed(2));
}

/** The median, and between which two the middle half of the rounds lies, where that says more. */
export function spreadText({ median, low, high }: Spread): string {
  const [from, to] = [figure(low), figure(high)];
  return from === to ? figure(median) : `${figure(median)} (${from}–${to})`;
}

/** The same in the unit that reads best for nanoseconds. */
export function durationText({ median, low, high }: Spread): string {
  const [from, to] = [duration(low), duration(high)];
  return from === to ? duration(median) : `${duration(median)} (${from} – ${to})`;
}

export function times(value: number): string {
  return `${figure(value)}×`;
}

export function percentChange(ratio: number): string {
  const percent = Math.round((ratio - 1) * 100);
  return `${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent).toLocaleString('en-US')} %`;
}

export function milliseconds(value: number): string {
  return `${figure(value)} ms`;
}

/** Nanoseconds in the unit that reads best. */
export function duration(ns: number): string {
  if (ns < 1_000) return `${figure(ns)} ns`;
  if (ns < 1e6) return `${figure(ns / 1_000)} µs`;
  return `${figure(ns / 1e6)} ms`;
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
