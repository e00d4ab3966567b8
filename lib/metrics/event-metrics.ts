import { type TokenMetricsSnapshot } from './token-metrics-snapshot.js';

type EventsSnapshot = NonNullable<TokenMetricsSnapshot['events']>;

/**
 * Counts the deliveries at the event URL of one instance.
 *
 * @internal
 */
export class EventMetrics {
  private readonly counts = { received: 0, accepted: 0, duplicates: 0, challenges: 0, rejected: 0, busy: 0 };
  private readonly rejectedByReason: Record<string, number> = {};
  private readonly handlers = { done: 0, failed: 0, dropped: 0 };
  private unguardedClaims = 0;
  private queue: { readonly pending: number } | undefined;
  private claims: { readonly droppedClaims: number } | undefined;

  /** The queue in which handlers run and wait. */
  attach(queue: { readonly pending: number }): void {
    this.queue = queue;
  }

  /** @param claims the lock that remembers claims in this process */
  watchClaims(claims: { readonly droppedClaims: number }): void {
    this.claims = claims;
  }

  received(): void {
    this.counts.received++;
  }

  ended(
    outcome: 'event' | 'duplicate' | 'challenge' | 'refused' | 'busy' | 'closing',
    reason?: string,
  ): void {
    if (outcome === 'event') this.counts.accepted++;
    if (outcome === 'duplicate') this.counts.duplicates++;
    if (outcome === 'challenge') this.counts.challenges++;
    if (outcome === 'busy') this.counts.busy++;
    if (outcome !== 'refused') return;
    this.counts.rejected++;
    const why = reason ?? 'unknown';
    this.rejectedByReason[why] = (this.rejectedByReason[why] ?? 0) + 1;
  }

  unguarded(): void {
    this.unguardedClaims++;
  }

  handled(): void {
    this.handlers.done++;
  }

  failed(): void {
    this.handlers.failed++;
  }

  dropped(handlers: number): void {
    this.handlers.dropped += handlers;
  }

  snapshot(): EventsSnapshot {
    return {
      ...this.counts,
      rejectedByReason: { ...this.rejectedByReason },
      unguarded: this.unguardedClaims,
      droppedClaims: this.claims?.droppedClaims ?? 0,
      handlers: { ...this.handlers, pending: this.queue?.pending ?? 0 },
    };
  }
}
