import { Module, type DynamicModule } from '@nestjs/common';
import {
  ConfigurableModuleClass,
  type ASYNC_OPTIONS_TYPE,
  type OPTIONS_TYPE,
} from './feishu-auth.module-definition.js';

/**
 * Gives an application valid Feishu / Lark tokens. Provides `TokenService`, `AppTicketService`, `TokenPrewarmer`,
 * `FeishuAuthHealthIndicator`, `FeishuEventService` and `FeishuHttpService`. A named instance provides them under
 * `getFeishuServiceToken(service, name)`.
 *
 * With wrong options the application does not start: `ERR_FEISHU_CONFIG_INVALID`.
 *
 * @example
 * imports: [FeishuAuthModule.forRoot({ appId, appSecret })]
 *
 * @publicApi
 */
@Module({})
export class FeishuAuthModule extends ConfigurableModuleClass {
  /** Configures an instance with the given options. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * Configures an instance with options from a factory, a class or an existing provider. `name`, `isGlobal` and
   * `webhookPath` stand beside the factory, because Nest needs them before the factory runs.
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
