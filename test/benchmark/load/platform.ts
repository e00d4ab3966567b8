import { type PlatformCalls } from './platform-host.js';
import { Helper } from './rpc.js';

export const SELF_BUILT_APP = { appId: 'cli_benchmark', appSecret: 'not-a-secret' } as const;
export const STORE_APP = {
  appId: 'cli_benchmark_store',
  appSecret: 'not-a-secret-either',
  appType: 'store',
} as const;

export interface PlatformSetup {
  readonly lifetimeSeconds: number;
  readonly renewalWindowSeconds?: number;
  readonly latencyMs: number;
  readonly tenants: string[];
}

/** Where the platform is, and the ticket of the store app. */
export interface HostedPlatform {
  readonly domain: { open: string; accounts: string };
  readonly oauthUrl: string;
  readonly ticket: string;
}

/** The emulator in a process of its own. */
export class Platform {
  private constructor(
    private readonly helper: Helper<PlatformCalls>,
    readonly hosted: HostedPlatform,
  ) {}

  static async start(setup: PlatformSetup): Promise<Platform> {
    const helper = new Helper<PlatformCalls>(new URL('platform-host.js', import.meta.url));
    return new Platform(helper, await helper.call('start', setup));
  }

  /** Requests for a token since the last time. */
  tokenCalls(): Promise<number> {
    return this.helper.call('tokenCalls');
  }

  stop(): Promise<void> {
    return this.helper.stop();
  }
}

export function tenantKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `tenant${String(i).padStart(12, '0')}`);
}
