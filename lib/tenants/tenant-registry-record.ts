import { type DatedStatus } from './tenant-statuses.js';

/** What the fleet knows of its tenants. Times are epoch milliseconds. */
export interface TenantRegistryRecord {
  readonly usedAt: ReadonlyMap<string, number>;
  readonly statuses: ReadonlyMap<string, DatedStatus>;
}

/** The record is bounded: statuses only tell those who were not listening, and each has a record of its own. */
const MAX_STATUSES = 1_000;
const TENANT_KEY = /^[A-Za-z0-9_-]{1,128}$/;

/** As short as JSON gets: there may be thousands of tenants. Seconds are exact enough for when one was used. */
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

/** `undefined` for what is no roll; what is wrong in one is left out. */
export function parseRegistryRecord(text: string): TenantRegistryRecord | undefined {
  try {
    const roll = JSON.parse(text) as { used?: unknown; enabled?: unknown; stopped?: unknown } | null;
    if (typeof roll !== 'object' || roll === null) return undefined;
    const usedAt = new Map(timesIn(roll.used).map(([key, at]) => [key, at * 1_000]));
    const statuses = new Map<string, DatedStatus>();
    for (const status of ['enabled', 'stopped'] as const) {
      for (const [key, at] of timesIn(roll[status])) {
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
    (entry): entry is [string, number] => TENANT_KEY.test(entry[0]) && Number.isFinite(entry[1]),
  );
}
