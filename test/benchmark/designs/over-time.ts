import { type TimedRead } from '../load/open-loop.js';

/** The slowest read of each stretch of time. Milliseconds. */
export type OverTime = readonly { readonly atMs: number; readonly slowestMs: number }[];

const STRETCH_MS = 25;

export function slowestOverTime(reads: readonly TimedRead[]): OverTime {
  const slowest = new Map<number, number>();
  for (const { dueAt, latencyMs } of reads) {
    const stretch = Math.floor(dueAt / STRETCH_MS) * STRETCH_MS;
    slowest.set(stretch, Math.max(latencyMs, slowest.get(stretch) ?? 0));
  }
  return [...slowest].map(([atMs, slowestMs]) => ({ atMs, slowestMs })).toSorted((a, b) => a.atMs - b.atMs);
}
