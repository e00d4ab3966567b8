import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';

export const APP = { appId: 'cli_larkclient', appSecret: 'not-a-secret' };
/** The latency of a slow token request. */
export const TOKEN_LATENCY_MS = 300;

const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';

/** An emulated Feishu in this process, which counts requests. */
export class Platform implements OnApplicationShutdown {
  private constructor(readonly emulator: FeishuEmulator) {}

  static async start(): Promise<Platform> {
    const latencyMs = { [TENANT_TOKEN]: TOKEN_LATENCY_MS };
    return new Platform(await FeishuEmulator.start({ apps: [APP], latencyMs }));
  }

  onApplicationShutdown(): Promise<void> {
    return this.emulator.stop();
  }

  /** Counts the token requests during `work`. */
  async tokenRequestsDuring(work: () => Promise<void>): Promise<number> {
    const before = this.emulator.requestsTo(TENANT_TOKEN).length;
    await work();
    return this.emulator.requestsTo(TENANT_TOKEN).length - before;
  }
}

@Module({
  providers: [{ provide: Platform, useFactory: () => Platform.start() }],
  exports: [Platform],
})
export class PlatformModule {}
