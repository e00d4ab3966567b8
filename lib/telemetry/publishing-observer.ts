import { type FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { resultOf, type TokenMetrics } from '../metrics/token-metrics.js';
import { type Clock } from '../time/clock.js';
import { type TokenKind } from '../tokens/access-token.js';
import { type RenewalObserver } from '../tokens/renewal/renewal-observer.js';
import { type FlightEnd, type FlightTrigger } from '../tokens/renewal/token-flight.js';
import { type AttemptOutcome, type ReadCounters, type TokenObserver } from '../tokens/token-observer.js';
import { type RenewalMessage, type TelemetryChannels } from './channels.js';

/** Passes on what happens to the metrics, and publishes the rest of it. A hit is only counted. */
export class PublishingObserver implements TokenObserver, RenewalObserver {
  constructor(
    private readonly metrics: TokenMetrics,
    private readonly channels: TelemetryChannels,
    private readonly clock: Clock,
  ) {}

  renewalStarted(
    kind: TokenKind,
    trigger: FlightTrigger,
  ): ((end: FlightEnd | FeishuAuthError) => void) | undefined {
    const message = this.channels.renewalStarted({ kind, trigger });
    if (message === undefined) return undefined;
    const startedAt = this.clock.monotonic();
    return (end) =>
      this.channels.renewalEnded(message, {
        ...renewalEnd(end),
        durationMs: this.clock.monotonic() - startedAt,
      });
  }

  readCounters(kind: TokenKind): ReadCounters {
    return this.metrics.readCounters(kind);
  }

  waited(kind: TokenKind, waitMs: number): void {
    this.metrics.waited(kind, waitMs);
    this.channels.waited({ kind, durationMs: waitMs });
  }

  failedFast(kind: TokenKind): void {
    this.metrics.failedFast(kind);
  }

  adopted(kind: TokenKind): void {
    this.metrics.adopted(kind);
  }

  missed(kind: TokenKind): void {
    this.metrics.missed(kind);
  }

  attempted(kind: TokenKind, outcome: AttemptOutcome, latencyMs: number): void {
    this.metrics.attempted(kind, outcome, latencyMs);
    this.channels.requested({ kind, ...resultOf(outcome), durationMs: latencyMs });
  }

  renewedLate(): void {
    this.metrics.renewedLate();
  }

  invalidated(kind: TokenKind): void {
    this.metrics.invalidated(kind);
    this.channels.invalidated({ kind });
  }

  lockAcquired(waitMs: number): void {
    this.metrics.lockAcquired(waitMs);
  }

  lockContended(waitMs?: number): void {
    this.metrics.lockContended(waitMs);
  }

  lockFailedOpen(waitMs: number): void {
    this.metrics.lockFailedOpen(waitMs);
  }
}

function renewalEnd(
  end: FlightEnd | FeishuAuthError,
): { outcome: NonNullable<RenewalMessage['outcome']> } & Pick<
  RenewalMessage,
  'source' | 'errorType' | 'feishuCode' | 'logId' | 'retryAt'
> {
  if (end === 'contended' || end === 'superseded') return { outcome: end };
  if (!isFeishuAuthError(end)) return { outcome: 'renewed', source: end.token.source };
  const { code, feishuCode, logId, retryAt } = end;
  return {
    outcome: 'failed',
    errorType: code,
    ...(feishuCode !== undefined && { feishuCode }),
    ...(logId !== undefined && { logId }),
    ...(retryAt !== undefined && { retryAt }),
  };
}
