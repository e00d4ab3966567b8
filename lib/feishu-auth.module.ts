import { Module, type DynamicModule } from '@nestjs/common';
import {
  ConfigurableModuleClass,
  type ASYNC_OPTIONS_TYPE,
  type OPTIONS_TYPE,
} from './feishu-auth.module-definition.js';

/**
 * Gives an application valid Feishu / Lark tokens. Provides `TokenService`, `AppTicketService`, `TokenPrewarmer`,
 * `FeishuAuthHealthIndicator` and `FeishuHttpService`; a named instance provides them under `getFeishuAuthToken()`.
 *
 * Wrong options stop the start of the application with `ERR_FEISHU_CONFIG_INVALID`.
 *
 * @example
 * imports: [FeishuAuthModule.forRoot({ appId, appSecret })]
 *
 * @publicApi
 */
@Module({})
export class FeishuAuthModule extends ConfigurableModuleClass {
  /** With options that are known here. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** With options from a factory, a class or an existing provider; `name` and `isGlobal` stay here. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
