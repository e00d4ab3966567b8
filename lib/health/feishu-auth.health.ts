import { type TokenMetrics } from '../metrics/token-metrics.js';
import { type SlotStates } from '../tokens/slot/slot-state.js';
import { type FeishuAuthHealthDetails, healthDetails } from './health-details.js';
import { healthVerdict, type HealthVerdict } from './health-verdict.js';
import { type HealthIndicatorResult, type HealthSessions, loadTerminus } from './terminus.js';
import { type AppType } from '../platform/app-type.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/**
 * What the indicator reads; it changes nothing.
 *
 * @internal
 */
export interface HealthSources {
  readonly instance: string;
  readonly appType: AppType;
  readonly metrics: TokenMetrics;
  readonly slots: SlotStates;
  /** Whether a store app holds an `app_ticket`; never asked for a self-built app. */
  readonly hasTicket: () => boolean;
}

/**
 * Tells terminus how the app's own credential does, from what this process knows: it never calls Feishu.
 *
 * - `up`: renewals work, or nothing was asked for yet.
 * - `degraded` (HTTP 200): tokens are still served, but a renewal keeps failing and the end is near, or the
 *   credentials are rejected, or the shared store is out, or a tenant of a store app cannot be served.
 *   Terminus 11 knows no such status: there it is `up` with `degraded: true`.
 * - `down` (HTTP 503): no valid token, and the last renewal failed.
 *
 * @example
 * health.check([() => feishu.isHealthy()])
 *
 * @publicApi
 */
@FeishuService('FeishuAuthHealthIndicator')
export class FeishuAuthHealthIndicator {
  private sessions: HealthSessions | undefined;

  /** @internal */
  constructor(
    private readonly sources: HealthSources,
    private readonly load: () => Promise<HealthSessions> = loadTerminus,
  ) {}

  /**
   * A check that fails by itself reads as `down`; no state of the credential rejects.
   *
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` when `@nestjs/terminus` is not installed, or in an unsupported
   * version
   *
   * @param key names the result; `feishu-auth` by default, `feishu-auth:<name>` for a named instance
   */
  async isHealthy(key: string = this.defaultKey()): Promise<HealthIndicatorResult> {
    this.sessions ??= await this.load();
    const session = this.sessions(key);
    try {
      const { status, ...details } = this.examine();
      if (status === 'up') return session.up(details);
      if (status === 'down') return session.down(details);
      // Terminus 11 has two states only, and this one still serves.
      return session.degraded?.(details) ?? session.up({ ...details, degraded: true });
    } catch (error) {
      // The name only: what an unforeseen error says is not ours to publish.
      const name = error instanceof Error ? error.name : typeof error;
      return session.down({
        instance: this.sources.instance,
        reason: `the health check itself failed: ${name}`,
      });
    }
  }

  private defaultKey(): string {
    const { instance } = this.sources;
    return instance === 'default' ? 'feishu-auth' : `feishu-auth:${instance}`;
  }

  private examine(): FeishuAuthHealthDetails & HealthVerdict {
    const { appType, metrics, hasTicket } = this.sources;
    const snapshot = metrics.snapshot();
    const slots = [...this.sources.slots.slotStates()];
    const verdict = healthVerdict({
      appType,
      slots,
      hasTicket: appType === 'store' && hasTicket(),
      breaker: snapshot.store.breaker,
    });
    return { ...verdict, ...healthDetails(snapshot, slots) };
  }
}
