import { Module } from '@nestjs/common';
import { type Client } from '@larksuiteoapi/node-sdk';
import { FeishuAuthModule, type FeishuAuthModuleOptions } from 'nestjs-feishu-auth';
import { FeishuLarkModule, getLarkClientToken } from 'nestjs-feishu-auth/lark-sdk';
import { Bot } from './bot.service.js';
import { APP, Platform, PlatformModule } from './platform.js';

/** The name of a second instance, whose secret somebody has mistyped. */
const MISTYPED = 'mistyped';

export const WRONG_SECRET = 'a-mistyped-secret';
export const BOT_WITH_WRONG_SECRET = 'BOT_WITH_WRONG_SECRET';

@Module({
  imports: [
    // With credentials of your own: FeishuAuthModule.forRoot({ appId, appSecret })
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
    // And this makes the official client injectable, one for each of them.
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
    // The show wants cold callers. Leave `prewarm` out, and the token is fetched while the application starts.
    prewarm: { onBootstrap: 'off' },
  };
}
