import { isTenantKey } from '../tokens/token-kinds.js';
import { type DatedStatus } from './tenant-statuses.js';

/** What the fleet knows of its tenants. Times are epoch milliseconds. */
export interface TenantRegistryRecord {
  readonly usedAt: ReadonlyMap<string, number>;
  readonly statuses: ReadonlyMap<string, DatedStatus>;
}

/** Bounds the record. Statuses are also stored one by one; here they only spread. */
const MAX_STATUSES = 1_000;

/** Compact JSON, because there may be thousands of tenants. Times of use are in seconds. */
export function serializeRegistryRecord({ usedAt, statuses }: TenantRegistryRecord): string {
  const newest = [...statuses].toSorted(([, a], [, b]) => b.at - a.at).slice(0, MAX_STATUSES);
  return JSON.stringify({
    used: Object.fromEntries([...usedAt].map(([key, at]) => [key, Math.floor(at / 1_000)])),
    enabled: timesOf(newest, 'enabled'),
    stopped: timesOf(newest, 'stopped'),
  });
}

function timesOf(
  statuses: readonly (readonly [string, DatedStatus])[],
  wanted: DatedStatus['status'],
): Record<string, number> {
  return Object.fromEntries(
    statuses.filter(([, { status }]) => status === wanted).map(([key, { at }]) => [key, at]),
  );
}

/** `undefined` for a text that is not a registry record. Invalid entries are left out. */
export function parseRegistryRecord(text: string): TenantRegistryRecord | undefined {
  try {
    const record = JSON.parse(text) as { used?: unknown; enabled?: unknown; stopped?: unknown } | null;
    if (typeof record !== 'object' || record === null) return undefined;
    const usedAt = new Map(timesIn(record.used).map(([key, at]) => [key, at * 1_000]));
    const statuses = new Map<string, DatedStatus>();
    for (const status of ['enabled', 'stopped'] as const) {
      for (const [key, at] of timesIn(record[status])) {
        if (at > (statuses.get(key)?.at ?? -Infinity)) statuses.set(key, { status, at });
      }
    }
    return { usedAt, statuses };
  } catch {
    return undefined;
  }
}

function timesIn(value: unknown): [string, number][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter(
    (entry): entry is [string, number] => isTenantKey(entry[0]) && Number.isFinite(entry[1]),
  );
}
