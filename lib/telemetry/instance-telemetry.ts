import { type ModulesContainer } from '@nestjs/core';
import { type FeishuAuthHealthDetails } from '../health/health-details.js';
import { type HealthVerdict } from '../health/health-verdict.js';
import { type RefreshDurations, type WaitDurations } from '../metrics/token-metrics.js';
import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type StoreOperations } from '../store/shared-store.js';
import { type TokenKind } from '../tokens/access-token.js';

/**
 * The provider through which exporters and the status page read an instance. A registered symbol, so that it is the
 * same for the CommonJS and the ES module copy of this package.
 */
export const INSTANCE_TELEMETRY = Symbol.for('nestjs-feishu-auth:instance-telemetry');

/**
 * One held token and its windows. Times are ISO 8601. It names no tenant and no user.
 *
 * @publicApi
 */
export interface HeldTokenState {
  kind: TokenKind;
  /** `own`: the application's own token. `other`: the token of a tenant or a user. */
  holder: 'own' | 'other';
  obtainedAt: string;
  /** From here on the token is renewed in the background. */
  refreshAt: string;
  /** From here on a renewal may wait for the lock. */
  mustAt: string;
  /** From here on the token is not handed out any more. */
  deadAt: string;
  expiresAt: string;
  consecutiveFailures: number;
}

/**
 * Everything that is exported of one instance. It holds no secret, no token and no tenant.
 *
 * @internal
 */
export interface InstanceTelemetry {
  /** `'default'`, or the name of the instance. */
  readonly instance: string;
  metrics(): TokenMetricsSnapshot;
  health(): HealthVerdict & FeishuAuthHealthDetails;
  waitDurations(): readonly WaitDurations[];
  refreshDurations(): readonly RefreshDurations[];
  storeOperations(): readonly StoreOperations[];
  /** The application's own tokens, then those that end first; a bounded number. */
  tokens(): HeldTokenState[];
}

/** All instances of the application, in the order of their modules. */
export function telemetryOf(modules: ModulesContainer): InstanceTelemetry[] {
  return [...modules.values()].flatMap((module) => {
    const telemetry: unknown = module.providers.get(INSTANCE_TELEMETRY)?.instance;
    return telemetry === undefined || telemetry === null ? [] : [telemetry as InstanceTelemetry];
  });
}
