import { Module } from '@nestjs/common';
import { FeishuAuthModule } from 'nestjs-feishu-auth';
import { MessageService } from './message.service.js';
import { Platform, PlatformModule } from './platform.js';

@Module({
  imports: [
    // With credentials of your own:
    // FeishuAuthModule.forRoot({ appId, appSecret, appType: 'store', events: { encryptKey }, webhookPath: 'feishu/events' })
    FeishuAuthModule.forRootAsync({
      imports: [PlatformModule],
      inject: [Platform],
      useFactory: (platform: Platform) => platform.options,
      webhookPath: 'feishu/events',
    }),
  ],
  providers: [MessageService],
})
export class AppModule {}
