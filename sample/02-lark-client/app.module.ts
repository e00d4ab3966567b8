import { Module } from '@nestjs/common';
import { type Client } from '@larksuiteoapi/node-sdk';
import { FeishuAuthModule, type FeishuAuthModuleOptions } from 'nestjs-feishu-auth';
import { FeishuLarkModule, getLarkClientToken } from 'nestjs-feishu-auth/lark-sdk';
import { Bot } from './bot.service.js';
import { APP, Platform, PlatformModule } from './platform.js';

/** The name of a second instance with a wrong secret. */
const MISTYPED = 'mistyped';

export const WRONG_SECRET = 'a-mistyped-secret';
export const BOT_WITH_WRONG_SECRET = 'BOT_WITH_WRONG_SECRET';

@Module({
  imports: [
    // With a real app: FeishuAuthModule.forRoot({ appId, appSecret })
    FeishuAuthModule.forRootAsync({
      imports: [PlatformModule],
      inject: [Platform],
      useFactory: (platform: Platform) => optionsFor(platform, APP.appSecret),
    }),
    FeishuAuthModule.forRootAsync({
      name: MISTYPED,
      imports: [PlatformModule],
      inject: [Platform],
      useFactory: (platform: Platform) => optionsFor(platform, WRONG_SECRET),
    }),
    // Makes the official client injectable, one for each instance.
    FeishuLarkModule.forFeature(),
    FeishuLarkModule.forFeature({ name: MISTYPED }),
    PlatformModule,
  ],
  providers: [
    Bot,
    {
      provide: BOT_WITH_WRONG_SECRET,
      inject: [getLarkClientToken(MISTYPED)],
      useFactory: (client: Client) => new Bot(client),
    },
  ],
})
export class AppModule {}

function optionsFor(platform: Platform, appSecret: string): FeishuAuthModuleOptions {
  return {
    appId: APP.appId,
    appSecret,
    domain: platform.emulator.domain,
    // 'off' shows a cold start. By default, the token is fetched while the application starts.
    prewarm: { onBootstrap: 'off' },
  };
}
