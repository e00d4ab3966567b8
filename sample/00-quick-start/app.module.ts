import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TerminusModule } from '@nestjs/terminus';
import { FeishuAuthModule } from 'nestjs-feishu-auth';
import { BotController } from './bot.controller.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { Platform, PlatformModule } from './platform.js';

@Module({
  imports: [
    // Where it is imported, the timer of the pre-warm is listed in Nest's SchedulerRegistry.
    ScheduleModule.forRoot(),
    TerminusModule,
    // With credentials of your own, `FeishuAuthModule.forRoot({ appId, appSecret })` is all it takes.
    FeishuAuthModule.forRootAsync({
      imports: [PlatformModule],
      inject: [Platform],
      useFactory: (platform: Platform) => platform.options,
    }),
  ],
  controllers: [BotController, HealthController, MetricsController],
})
export class AppModule {}
