import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { type FeishuAuthModuleOptions } from 'nestjs-feishu-auth';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { type Credentials, readEnvironment } from './environment.js';

/** As short as it takes to see renewals during the show; Feishu's tokens live for two hours. */
const TOKEN_LIFETIME_SECONDS = 6;
/** As long as a request for a token takes on a slow day. */
const TOKEN_LATENCY_MS = 300;
const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';
const EMULATED_APP = { appId: 'cli_quickstart', appSecret: 'not-a-secret' };

/** Where tokens come from: the emulator, or Feishu / Lark itself. */
export class Platform implements OnApplicationShutdown {
  private constructor(
    readonly options: FeishuAuthModuleOptions,
    readonly description: string,
    /** Absent on the real platform. */
    readonly emulator?: FeishuEmulator,
  ) {}

  static async start(credentials: Credentials | undefined): Promise<Platform> {
    return credentials ? Platform.real(credentials) : await Platform.emulated();
  }

  onApplicationShutdown(): Promise<void> | undefined {
    return this.emulator?.stop();
  }

  /** What the emulator itself has counted: requests for a token. */
  get emulatedTokenRequests(): number | undefined {
    return this.emulator?.requestsTo(TENANT_TOKEN).length;
  }

  private static real(credentials: Credentials): Platform {
    const { domain } = credentials;
    const host = typeof domain === 'string' ? { feishu: 'Feishu', lark: 'Lark' }[domain] : domain.open;
    return new Platform(
      // The show wants a cold start. Leave `prewarm` out, and the token is fetched while the application starts.
      { ...credentials, prewarm: { onBootstrap: 'off' } },
      `${host}, with the app ${credentials.appId} of FEISHU_APP_ID.`,
    );
  }

  private static async emulated(): Promise<Platform> {
    const emulator = await FeishuEmulator.start({
      apps: [EMULATED_APP],
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      latencyMs: { [TENANT_TOKEN]: TOKEN_LATENCY_MS },
    });
    return new Platform(
      // As above; and tokens that live for seconds want a look every second, not every half minute.
      { ...EMULATED_APP, domain: emulator.domain, prewarm: { onBootstrap: 'off', intervalMs: 1_000 } },
      `an emulator in this process (set FEISHU_APP_ID and FEISHU_APP_SECRET for Feishu).\n` +
        `Its tokens live ${TOKEN_LIFETIME_SECONDS} s (Feishu's: 2 hours), ` +
        `and it takes ${TOKEN_LATENCY_MS} ms to hand one out.`,
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
