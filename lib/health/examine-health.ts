import { type TokenMetrics } from '../metrics/token-metrics.js';
import { type AppType } from '../platform/app-type.js';
import { type SlotStates } from '../tokens/slot/slot-state.js';
import { type FeishuAuthHealthDetails, healthDetails } from './health-details.js';
import { healthVerdict, type HealthVerdict } from './health-verdict.js';

/**
 * What a health check reads.
 *
 * @internal
 */
export interface HealthSources {
  readonly instance: string;
  readonly appType: AppType;
  readonly metrics: TokenMetrics;
  readonly slots: SlotStates;
  /** Whether a store app holds an `app_ticket`; not called for a self-built app. */
  readonly hasTicket: () => boolean;
}

/** The verdict and its details, from what this process knows. */
export function examineHealth({
  appType,
  metrics,
  slots: source,
  hasTicket,
}: HealthSources): FeishuAuthHealthDetails & HealthVerdict {
  const snapshot = metrics.snapshot();
  const slots = [...source.states()];
  const verdict = healthVerdict({
    appType,
    slots,
    hasTicket: appType === 'store' && hasTicket(),
    breaker: snapshot.store.breaker,
    uncommitted: snapshot.users?.uncommitted ?? 0,
    storeProblem: snapshot.store.problem,
    lockProblem: snapshot.lock.problem,
  });
  return { ...verdict, ...healthDetails(snapshot, slots) };
}
