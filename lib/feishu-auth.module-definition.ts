import { ConfigurableModuleBuilder } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  type FeishuAuthModuleExtras,
  type FeishuAuthModuleOptions,
  type FeishuAuthOptionsFactory,
} from './feishu-auth.options.js';
import { eventControllersOf } from './feishu-auth.events.js';
import { loginControllersOf } from './feishu-auth.login.js';
import { exportsOf, providersOf } from './feishu-auth.providers.js';
import { statusControllersOf } from './feishu-auth.status.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<FeishuAuthModuleOptions>({
    moduleName: 'FeishuAuth',
    optionsInjectionToken: 'FEISHU_AUTH_MODULE_OPTIONS',
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createFeishuAuthOptions' satisfies keyof FeishuAuthOptionsFactory)
    // Name every extra here: Nest treats other properties as options.
    .setExtras<FeishuAuthModuleExtras>(
      {
        name: undefined,
        isGlobal: true,
        webhookPath: undefined,
        loginPath: undefined,
        loginDecorators: undefined,
        statusPage: undefined,
      },
      (definition, extras) => ({
        ...definition,
        global: extras.isGlobal ?? true,
        imports: [...(definition.imports ?? []), DiscoveryModule],
        controllers: [
          ...eventControllersOf(extras),
          ...loginControllersOf(extras),
          ...statusControllersOf(extras),
        ],
        // Nest reads these when it scans the module: every copy of this package is loaded by then.
        get providers() {
          return [...(definition.providers ?? []), ...providersOf(extras)];
        },
        get exports() {
          return exportsOf(extras);
        },
      }),
    )
    .build();
