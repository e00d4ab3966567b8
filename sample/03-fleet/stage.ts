import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { Fleet } from './fleet.js';
import { RedisServer } from './redis-server.js';

export const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';
export const PLATFORM_LATENCY_MS = 200;
const APP = { appId: 'cli_fleet', appSecret: 'not-a-secret' };

/** What the show takes place on: a platform, a Redis, and the fleet between them. */
export class Stage {
  private constructor(
    readonly platform: FeishuEmulator,
    readonly redis: RedisServer,
    readonly fleet: Fleet,
  ) {}

  static async set(lifeSeconds: number, signal: AbortSignal): Promise<Stage> {
    const redis = await RedisServer.start();
    try {
      const platform = await FeishuEmulator.start({
        apps: [APP],
        tokenLifetimeSeconds: lifeSeconds,
        latencyMs: { [TENANT_TOKEN]: PLATFORM_LATENCY_MS },
      });
      const { domain } = platform;
      return new Stage(platform, redis, new Fleet({ ...APP, domain, redisUrl: redis.url }, signal));
    } catch (error) {
      await redis.kill();
      throw error;
    }
  }

  /** When the platform was asked for a token, in order. */
  get platformCalls(): number[] {
    return this.platform.requestsTo(TENANT_TOKEN).map(({ at }) => at);
  }

  /** Leaves nothing behind. */
  async clear(): Promise<void> {
    await Promise.allSettled([this.fleet.end(), this.redis.kill(), this.platform.stop()]);
  }
}
