import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';

export const APP = { appId: 'cli_larkclient', appSecret: 'not-a-secret' };
/** As long as a request for a token takes on a slow day. */
export const TOKEN_LATENCY_MS = 300;

const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';

/** A Feishu in this process, and what it sees of a bot. */
export class Platform implements OnApplicationShutdown {
  private constructor(readonly emulator: FeishuEmulator) {}

  static async start(): Promise<Platform> {
    const latencyMs = { [TENANT_TOKEN]: TOKEN_LATENCY_MS };
    return new Platform(await FeishuEmulator.start({ apps: [APP], latencyMs }));
  }

  onApplicationShutdown(): Promise<void> {
    return this.emulator.stop();
  }

  /** How many tokens were asked for while `work` was done. */
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
