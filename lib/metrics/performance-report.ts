import { type TokenKind } from '../tokens/access-token.js';
import { KIND_NAMES } from '../tokens/token-kinds.js';
import { GAP, LABEL_WIDTH, textTable } from './text-table.js';
import {
  type DurationSummary,
  type TokenKindMetrics,
  type TokenMetricsSnapshot,
} from './token-metrics-snapshot.js';

type Kind = readonly [TokenKind, TokenKindMetrics];

/** Of equal width, so that they start in one column. */
const NO_DATA = 'no data yet';
const MET = 'met'.padEnd(NO_DATA.length);
const MISSED = 'MISSED'.padEnd(NO_DATA.length);

/**
 * A snapshot as a text that shows at a glance whether this instance works well. It fits 100 columns.
 *
 * @internal
 */
export function performanceReport(snapshot: TokenMetricsSnapshot): string {
  // Tenant tokens first: most applications use no others.
  const all = KIND_NAMES.toReversed().map((kind): Kind => [kind, snapshot.kinds[kind]]);
  const kinds = all.filter(([, metrics]) => wasAskedFor(metrics));
  const sections = [header(snapshot), targets(kinds)];
  if (kinds.length > 0) sections.push(reads(kinds), renewals(kinds));
  sections.push(durations(kinds, snapshot.lock.waitMs), upkeep(snapshot));
  return sections.filter((section) => section !== '').join('\n\n');
}

function wasAskedFor({ requests, refresh, storeHits }: TokenKindMetrics): boolean {
  return requests + refresh.attempts + storeHits > 0;
}

function header({ instance, since, at }: TokenMetricsSnapshot): string {
  return `Feishu tokens of instance "${instance}"\n${moment(since)} to ${moment(at)} UTC (${period(since, at)})`;
}

function targets(kinds: readonly Kind[]): string {
  const total = (pick: (metrics: TokenKindMetrics) => number): number =>
    kinds.reduce((sum, [, metrics]) => sum + pick(metrics), 0);
  const requests = total((metrics) => metrics.requests);
  const hits = total((metrics) => metrics.hits);
  const attempts = total(({ refresh }) => refresh.attempts);
  const succeeded = total(({ refresh }) => refresh.success + refresh.noop);
  return textTable([
    ['TARGETS', 'wanted', 'is', ''],
    target('hit rate', 80, hits, requests),
    target('refresh success', 95, succeeded, attempts),
  ]);
}

function target(name: string, wantedPercent: number, part: number, whole: number): string[] {
  const wanted = `> ${wantedPercent} %`;
  if (whole === 0) return [name, wanted, '-', NO_DATA];
  return [name, wanted, percent(part, whole), part * 100 > wantedPercent * whole ? MET : MISSED];
}

function reads(kinds: readonly Kind[]): string {
  return textTable([
    ['READS', 'reads', 'hits', 'hit rate', 'stale', 'waited', 'failed fast', 'held'],
    ...kinds.map(([kind, metrics]) => [
      kind,
      count(metrics.requests),
      count(metrics.hits),
      percent(metrics.hits, metrics.requests),
      count(metrics.staleServed),
      count(metrics.waits),
      count(metrics.failedFast),
      count(metrics.tokens),
    ]),
  ]);
}

function renewals(kinds: readonly Kind[]): string {
  const table = textTable([
    ['RENEWALS', 'attempts', 'new', 'unchanged', 'failed', 'success', 'from store', 'rejected by API'],
    ...kinds.map(([kind, { refresh, storeHits, invalidations }]) => [
      kind,
      count(refresh.attempts),
      count(refresh.success),
      count(refresh.noop),
      count(refresh.failure),
      percent(refresh.success + refresh.noop, refresh.attempts),
      count(storeHits),
      count(invalidations),
    ]),
  ]);
  const failures = kinds.flatMap(([kind, { refresh }]) =>
    Object.entries(refresh.failuresByCode)
      .toSorted(([, a], [, b]) => b - a)
      .map(([code, times]) => `  ${kind} failed ${count(times)} x ${code}`),
  );
  return [table, ...failures].join('\n');
}

function durations(kinds: readonly Kind[], lockWait: DurationSummary): string {
  const measured: [string, DurationSummary][] = [
    ...kinds.flatMap(([kind, { waitMs, refresh }]): [string, DurationSummary][] => [
      [`${kind} wait`, waitMs],
      [`${kind} refresh`, refresh.latencyMs],
    ]),
    ['lock wait', lockWait],
  ];
  const rows = measured.filter(([, { count: times }]) => times > 0);
  if (rows.length === 0) return '';
  return textTable([
    ['MILLISECONDS', 'count', 'mean', 'p50', 'p90', 'p99', 'max'],
    ...rows.map(([name, summary]) => [
      name,
      count(summary.count),
      ...[summary.mean, summary.p50, summary.p90, summary.p99, summary.max].map(milliseconds),
    ]),
  ]);
}

function upkeep({ prewarm, lock, store, events }: TokenMetricsSnapshot): string {
  const lastSweep = prewarm.lastSweepAt === undefined ? 'none yet' : `${moment(prewarm.lastSweepAt)} UTC`;
  return [
    [
      'PREWARM',
      counts([prewarm.late, 'late renewals'], [prewarm.refreshed, 'renewed'], [prewarm.failed, 'failed']),
    ],
    ['', `${counts([prewarm.sweeps, 'sweeps'], [prewarm.skipped, 'skipped'])}, last ${lastSweep}`],
    [
      'LOCK',
      counts(
        [lock.acquired, 'acquired'],
        [lock.contended, 'left to others'],
        [lock.failedOpen, 'done without'],
      ),
    ],
    ['STORE', counts([store.reads, 'reads'], [store.writes, 'writes'])],
    ['', `${counts([store.errors, 'errors'], [store.timeouts, 'timeouts'])}, breaker ${store.breaker}`],
    ...(events ? eventLines(events) : []),
  ]
    .map(([label = '', text = '']) => label.padEnd(LABEL_WIDTH) + GAP + text)
    .join('\n');
}

function eventLines({
  accepted,
  duplicates,
  rejected,
  handlers,
}: NonNullable<TokenMetricsSnapshot['events']>) {
  return [
    ['EVENTS', counts([accepted, 'accepted'], [duplicates, 'delivered again'], [rejected, 'refused'])],
    [
      '',
      `handlers: ${counts([handlers.done, 'done'], [handlers.failed, 'failed'], [handlers.dropped, 'dropped'])}`,
    ],
  ];
}

function counts(...parts: [number, string][]): string {
  return parts.map(([value, what]) => `${count(value)} ${what}`).join(', ');
}

// Grouped by hand: the report is the same in every locale.
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Rounded down: 100 % means all of them. */
function percent(part: number, whole: number): string {
  if (whole === 0) return '-';
  return `${(Math.floor((part * 10_000) / whole) / 100).toFixed(2)} %`;
}

function milliseconds(value: number): string {
  return value.toFixed(1);
}

function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

function period(since: string, at: string): string {
  // The wall clock may have been set back.
  const seconds = Math.max(0, Math.floor((Date.parse(at) - Date.parse(since)) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
