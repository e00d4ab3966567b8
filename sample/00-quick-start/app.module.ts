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
    // Optional: lists the pre-warm timer in Nest's SchedulerRegistry.
    ScheduleModule.forRoot(),
    TerminusModule,
    // With a real app: `FeishuAuthModule.forRoot({ appId, appSecret })`.
    FeishuAuthModule.forRootAsync({
      imports: [PlatformModule],
      inject: [Platform],
      useFactory: (platform: Platform) => platform.options,
    }),
  ],
  controllers: [BotController, HealthController, MetricsController],
})
export class AppModule {}
