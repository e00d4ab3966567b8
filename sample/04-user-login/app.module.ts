import { type DynamicModule, Module } from '@nestjs/common';
import { FeishuAuthModule, FileUserTokenStore } from 'nestjs-feishu-auth';
import { type FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { APP } from './accounts.js';
import { HomeController } from './home.controller.js';
import { ProfileService } from './profile.service.js';
import { Sessions } from './sessions.js';

export interface Settings {
  readonly emulator: FeishuEmulator;
  /** Where logins are kept. */
  readonly directory: string;
  readonly encryptionKey: Uint8Array;
  readonly port: number;
}

@Module({})
export class AppModule {
  static create({ emulator, directory, encryptionKey, port }: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        FeishuAuthModule.forRoot({
          appId: APP.appId,
          appSecret: APP.appSecret,
          domain: emulator.domain,
          encryptionKeys: [{ id: 'sample', key: encryptionKey }],
          users: {
            store: new FileUserTokenStore({ directory }),
            redirectUri: `http://127.0.0.1:${port}/auth/feishu/callback`,
          },
          loginPath: 'auth/feishu',
        }),
      ],
      controllers: [HomeController],
      providers: [Sessions, ProfileService],
    };
  }
}
