import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { type FeishuAuthModuleOptions } from 'nestjs-feishu-auth';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { type Credentials, readEnvironment } from './environment.js';

/** Short, so that the demonstration shows renewals. Feishu's tokens live for two hours. */
const TOKEN_LIFETIME_SECONDS = 6;
/** The latency of a slow token request. */
const TOKEN_LATENCY_MS = 300;
const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';
const EMULATED_APP = { appId: 'cli_quickstart', appSecret: 'not-a-secret' };

/** The source of tokens: the emulator, or Feishu / Lark. */
export class Platform implements OnApplicationShutdown {
  private constructor(
    readonly options: FeishuAuthModuleOptions,
    readonly description: string,
    /** Not set with a real app. */
    readonly emulator?: FeishuEmulator,
  ) {}

  static async start(credentials: Credentials | undefined): Promise<Platform> {
    return credentials ? Platform.real(credentials) : await Platform.emulated();
  }

  onApplicationShutdown(): Promise<void> | undefined {
    return this.emulator?.stop();
  }

  /** The token requests that the emulator has counted. */
  get emulatedTokenRequests(): number | undefined {
    return this.emulator?.requestsTo(TENANT_TOKEN).length;
  }

  private static real(credentials: Credentials): Platform {
    const { domain } = credentials;
    const host = typeof domain === 'string' ? { feishu: 'Feishu', lark: 'Lark' }[domain] : domain.open;
    return new Platform(
      // 'off' shows a cold start. By default, the token is fetched while the application starts.
      { ...credentials, prewarm: { onBootstrap: 'off' } },
      `Feishu is ${host}, with the app ${credentials.appId} from FEISHU_APP_ID.`,
    );
  }

  private static async emulated(): Promise<Platform> {
    const emulator = await FeishuEmulator.start({
      apps: [EMULATED_APP],
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      latencyMs: { [TENANT_TOKEN]: TOKEN_LATENCY_MS },
    });
    return new Platform(
      // As above. Tokens that live for seconds need a sweep every second instead of every 30 s.
      { ...EMULATED_APP, domain: emulator.domain, prewarm: { onBootstrap: 'off', intervalMs: 1_000 } },
      `Feishu is an emulator in this process (set FEISHU_APP_ID and FEISHU_APP_SECRET to use a real app).\n` +
        `Its tokens live ${TOKEN_LIFETIME_SECONDS} s (Feishu: 2 hours), ` +
        `and a token request takes ${TOKEN_LATENCY_MS} ms.`,
      emulator,
    );
  }
}

@Module({
  providers: [
    {
      provide: Platform,
      useFactory: () => Platform.start(readEnvironment(process.env).credentials),
    },
  ],
  exports: [Platform],
})
export class PlatformModule {}
