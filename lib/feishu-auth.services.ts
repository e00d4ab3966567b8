import { type FeishuAuthEngine } from './feishu-auth.engine.js';
import { FeishuAuthHealthIndicator } from './health/feishu-auth.health.js';
import { PREWARM_DEFAULTS } from './prewarm/prewarm-defaults.js';
import { type IntervalRegistry } from './prewarm/scheduler-registry.js';
import { TokenPrewarmer } from './prewarm/token-prewarmer.js';
import { TenantPrewarm } from './tenants/tenant-prewarm.js';
import { TokenService } from './token.service.js';

/** What a pre-warmer needs from the host. */
export interface PrewarmHost {
  readonly findRegistry?: () => IntervalRegistry | undefined;
  readonly whenReachable?: () => Promise<void>;
  readonly warn: (message: string) => void;
}

export function createTokenService(engine: FeishuAuthEngine, log: (text: string) => void): TokenService {
  const { reader, slots, metrics, owner } = engine;
  return new TokenService({ reader, slots, metrics, owner, log });
}

export function createPrewarmer(engine: FeishuAuthEngine, host: PrewarmHost): TokenPrewarmer {
  const { options, reader, slots, sweeper, tickets, metrics, clock, probeStore } = engine;
  const { instance, appType, prewarm, maxTokens } = options;
  const { tenantRegistry: registry, tenants: lifecycle } = engine;
  return new TokenPrewarmer({
    instance,
    appType,
    options: { ...(prewarm || PREWARM_DEFAULTS), isScheduled: prewarm !== false },
    reader,
    sweeper,
    tickets,
    tenants:
      appType === 'store' ? new TenantPrewarm({ registry, lifecycle, slots, maxTokens, clock }) : undefined,
    metrics,
    clock,
    probeStore,
    keepAlive: async () => engine.users?.keepAlive?.sweep(),
    findRegistry: host.findRegistry ?? (() => undefined),
    ...(host.whenReachable && { whenReachable: host.whenReachable }),
    warn: host.warn,
  });
}

export function createHealthIndicator({ health }: FeishuAuthEngine): FeishuAuthHealthIndicator {
  return new FeishuAuthHealthIndicator(health);
}
