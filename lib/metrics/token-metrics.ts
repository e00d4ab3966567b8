import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type SlotStates } from '../tokens/slot/slot-state.js';
import { forEachKind, KIND_NAMES } from '../tokens/token-kinds.js';
import { type AttemptOutcome, type ReadCounters, type TokenObserver } from '../tokens/token-observer.js';
import { DurationBuckets, type BucketedDurations } from './duration-buckets.js';
import { DurationHistogram } from './duration-histogram.js';
import { type EventMetrics } from './event-metrics.js';
import { type TokenKindMetrics, type TokenMetricsSnapshot } from './token-metrics-snapshot.js';

/**
 * The counters of the shared store; read when a snapshot is taken.
 *
 * @internal
 */
export type StoreStatistics = Readonly<Omit<TokenMetricsSnapshot['store'], 'problem'>> & {
  readonly problem?: string | undefined;
};

/**
 * Where a snapshot reads what other parts count or hold.
 *
 * @internal
 */
export interface MetricsSources {
  readonly store: StoreStatistics;
  readonly lock?: { problem(): string | undefined } | undefined;
  readonly slots: SlotStates;
  /** Absent when the instance receives no events. */
  readonly events?: EventMetrics | undefined;
  /** Absent without the option `users`. */
  readonly users?: { snapshot(): NonNullable<TokenMetricsSnapshot['users']> } | undefined;
}

/**
 * What one sweep of the prewarmer did, in tokens.
 *
 * @internal
 */
export interface SweepOutcome {
  readonly refreshed: number;
  readonly failed: number;
}

/** How long callers waited for tokens of one kind. */
export interface WaitDurations {
  readonly kind: TokenKind;
  readonly durations: BucketedDurations;
}

/** How long requests to Feishu took that ended in one way. */
export interface RefreshDurations extends AttemptResult {
  readonly kind: TokenKind;
  readonly durations: BucketedDurations;
}

/** How an attempt ended, as the labels of a metric. */
export interface AttemptResult {
  readonly result: 'success' | 'noop' | 'failure';
  /** Present exactly for a failure. */
  readonly errorType?: FeishuAuthErrorCode;
}

export function resultOf(outcome: AttemptOutcome): AttemptResult {
  if (outcome === 'success' || outcome === 'noop') return { result: outcome };
  return { result: 'failure', errorType: outcome };
}

/**
 * Counts what happens to the tokens of one instance.
 *
 * @internal
 */
export class TokenMetrics implements TokenObserver {
  private readonly instance: string;
  private readonly clock: Clock;
  private readonly since: string;
  private readonly kinds = forEachKind(() => new KindCounters());
  private readonly lock = { acquired: 0, contended: 0, failedOpen: 0 };
  private readonly lockWait = new DurationHistogram();
  private readonly prewarm: TokenMetricsSnapshot['prewarm'] = {
    sweeps: 0,
    refreshed: 0,
    failed: 0,
    late: 0,
    skipped: 0,
  };
  private sources: MetricsSources | undefined;

  constructor({ instance, clock }: { instance: string; clock: Clock }) {
    this.instance = instance;
    this.clock = clock;
    this.since = isoOf(clock);
  }

  /** The sources are built after this observer. Until then a snapshot shows none of them. */
  attach(sources: MetricsSources): void {
    this.sources = sources;
  }

  readCounters(kind: TokenKind): ReadCounters {
    return this.kinds[kind].reads;
  }

  waited(kind: TokenKind, waitMs: number): void {
    this.kinds[kind].waited(waitMs);
  }

  failedFast(kind: TokenKind): void {
    this.kinds[kind].failedFast++;
  }

  adopted(kind: TokenKind): void {
    this.kinds[kind].storeHits++;
  }

  missed(kind: TokenKind): void {
    this.kinds[kind].misses++;
  }

  attempted(kind: TokenKind, outcome: AttemptOutcome, latencyMs: number): void {
    this.kinds[kind].attempted(outcome, latencyMs);
  }

  renewedLate(): void {
    this.prewarm.late++;
  }

  invalidated(kind: TokenKind): void {
    this.kinds[kind].invalidations++;
  }

  lockAcquired(waitMs: number): void {
    this.lock.acquired++;
    this.lockWait.record(waitMs);
  }

  lockContended(waitMs = 0): void {
    this.lock.contended++;
    if (waitMs > 0) this.lockWait.record(waitMs);
  }

  lockFailedOpen(waitMs: number): void {
    this.lock.failedOpen++;
    this.lockWait.record(waitMs);
  }

  /** A sweep of the prewarmer ended. */
  sweepFinished({ refreshed, failed }: SweepOutcome): void {
    this.prewarm.sweeps++;
    this.prewarm.refreshed += refreshed;
    this.prewarm.failed += failed;
    this.prewarm.lastSweepAt = isoOf(this.clock);
  }

  /** A tick was skipped, because the sweep before was still running. */
  sweepSkipped(): void {
    this.prewarm.skipped++;
  }

  waitDurations(): WaitDurations[] {
    return KIND_NAMES.map((kind) => ({ kind, durations: this.kinds[kind].waitDurations.read() }));
  }

  refreshDurations(): RefreshDurations[] {
    return KIND_NAMES.flatMap((kind) =>
      [...this.kinds[kind].attemptDurations].map(([outcome, durations]) => ({
        kind,
        ...resultOf(outcome),
        durations: durations.read(),
      })),
    );
  }

  /** A copy of everything counted so far. */
  snapshot(): TokenMetricsSnapshot {
    const held = forEachKind(() => 0);
    for (const slot of this.sources?.slots.states() ?? []) if (slot.usable) held[slot.kind]++;
    const store = this.sources?.store;
    return {
      instance: this.instance,
      since: this.since,
      at: isoOf(this.clock),
      kinds: forEachKind((kind) => this.kinds[kind].metrics(held[kind])),
      lock: { ...this.lock, waitMs: this.lockWait.summary(), ...problemOf(this.sources?.lock?.problem()) },
      // Field by field: the source's fields may be getters.
      store: {
        reads: store?.reads ?? 0,
        writes: store?.writes ?? 0,
        errors: store?.errors ?? 0,
        timeouts: store?.timeouts ?? 0,
        breaker: store?.breaker ?? 'closed',
        ...problemOf(store?.problem),
      },
      prewarm: { ...this.prewarm },
      ...(this.sources?.users && { users: this.sources.users.snapshot() }),
      ...(this.sources?.events && { events: this.sources.events.snapshot() }),
    };
  }
}

function problemOf(problem: string | undefined): { problem?: string } {
  return problem === undefined ? {} : { problem };
}

class KindCounters {
  readonly reads: ReadCounters = { hits: 0, staleServed: 0 };
  readonly waitDurations = new DurationBuckets();
  readonly attemptDurations = new Map<AttemptOutcome, DurationBuckets>();
  failedFast = 0;
  storeHits = 0;
  misses = 0;
  invalidations = 0;
  private success = 0;
  private noop = 0;
  private failure = 0;
  private readonly failuresByCode: Record<string, number> = {};
  private readonly wait = new DurationHistogram();
  private readonly latency = new DurationHistogram();

  waited(waitMs: number): void {
    this.wait.record(waitMs);
    this.waitDurations.record(waitMs);
  }

  attempted(outcome: AttemptOutcome, latencyMs: number): void {
    this.latency.record(latencyMs);
    this.durationsOf(outcome).record(latencyMs);
    if (outcome === 'success') this.success++;
    else if (outcome === 'noop') this.noop++;
    else {
      this.failure++;
      this.failuresByCode[outcome] = (this.failuresByCode[outcome] ?? 0) + 1;
    }
  }

  metrics(tokens: number): TokenKindMetrics {
    const { hits, staleServed } = this.reads;
    const waitMs = this.wait.summary();
    const requests = hits + waitMs.count + this.failedFast;
    const attempts = this.success + this.noop + this.failure;
    return {
      requests,
      hits,
      staleServed,
      waits: waitMs.count,
      failedFast: this.failedFast,
      hitRate: ratio(hits, requests),
      storeHits: this.storeHits,
      misses: this.misses,
      waitMs,
      refresh: {
        attempts,
        success: this.success,
        noop: this.noop,
        failure: this.failure,
        failuresByCode: { ...this.failuresByCode },
        successRate: ratio(this.success + this.noop, attempts),
        latencyMs: this.latency.summary(),
      },
      invalidations: this.invalidations,
      tokens,
    };
  }

  private durationsOf(outcome: AttemptOutcome): DurationBuckets {
    const known = this.attemptDurations.get(outcome);
    if (known) return known;
    const durations = new DurationBuckets();
    this.attemptDurations.set(outcome, durations);
    return durations;
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function isoOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
