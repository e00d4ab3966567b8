import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { type FeishuAuthModuleOptions } from 'nestjs-feishu-auth';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';

export const APP = { appId: 'cli_storesample', appSecret: 'not-a-secret' };
/** Of the app's event subscription, in the developer console. */
export const EVENTS = { encryptKey: 'not-a-secret-either', verificationToken: 'nor-this' };
export const TENANTS = ['tenant_red', 'tenant_green', 'tenant_blue'] as const;

/** An emulator in this process: a store app on Feishu takes a review to get. */
export class Platform implements OnApplicationShutdown {
  private constructor(readonly emulator: FeishuEmulator) {}

  static async start(): Promise<Platform> {
    return new Platform(
      await FeishuEmulator.start({ apps: [{ ...APP, appType: 'store', tenantKeys: TENANTS }] }),
    );
  }

  get options(): FeishuAuthModuleOptions {
    return { ...APP, appType: 'store', events: EVENTS, domain: this.emulator.domain };
  }

  onApplicationShutdown(): Promise<void> {
    return this.emulator.stop();
  }
}

@Module({
  providers: [{ provide: Platform, useFactory: () => Platform.start() }],
  exports: [Platform],
})
export class PlatformModule {}
