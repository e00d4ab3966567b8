import { examineHealth, type HealthSources } from './examine-health.js';
import { type HealthIndicatorResult, type HealthSessions, loadTerminus } from './terminus.js';
import { FeishuService } from '../identity/feishu-service.decorator.js';

/**
 * Reports the state of the app's own credentials to terminus, from what this process knows. It never calls Feishu.
 *
 * - `up`: renewals work, or no token was requested yet.
 * - `degraded` (HTTP 200): callers still get tokens, but a renewal fails and the token's end is near, or Feishu rejects
 *   the credentials, or the shared store does not work, or a tenant of a store app gets no token.
 *   Terminus 11 does not have this status: there it is `up` with `degraded: true`.
 * - `down` (HTTP 503): no valid token, and the last renewal failed.
 *
 * @example
 * health.check([() => feishu.isHealthy()])
 *
 * @publicApi
 */
@FeishuService('FeishuAuthHealthIndicator')
export class FeishuAuthHealthIndicator {
  readonly #sources: HealthSources;
  readonly #load: () => Promise<HealthSessions>;
  #sessions: HealthSessions | undefined;

  /** @internal */
  constructor(sources: HealthSources, load: () => Promise<HealthSessions> = loadTerminus) {
    this.#sources = sources;
    this.#load = load;
  }

  /**
   * Reports an error in the check itself as `down`. No state of the credentials makes it reject.
   *
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` when `@nestjs/terminus` is not installed, or in an unsupported
   * version
   *
   * @param key the name of the result @default `feishu-auth`; `feishu-auth:<name>` for a named instance
   */
  async isHealthy(key: string = this.#defaultKey()): Promise<HealthIndicatorResult> {
    this.#sessions ??= await this.#load();
    const session = this.#sessions(key);
    try {
      const { status, ...details } = examineHealth(this.#sources);
      if (status === 'up') return session.up(details);
      if (status === 'down') return session.down(details);
      // Terminus 11 has only two states, and callers still get tokens.
      return session.degraded?.(details) ?? session.up({ ...details, degraded: true });
    } catch (error) {
      // Only the name: the message of an unforeseen error may hold anything.
      const name = error instanceof Error ? error.name : typeof error;
      return session.down({
        instance: this.#sources.instance,
        reason: `the health check itself failed: ${name}`,
      });
    }
  }

  #defaultKey(): string {
    const { instance } = this.#sources;
    return instance === 'default' ? 'feishu-auth' : `feishu-auth:${instance}`;
  }
}
