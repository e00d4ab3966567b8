import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  Logger,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { Client } from '@larksuiteoapi/node-sdk';
import { getFeishuServiceToken, isUnnamed, namedToken } from '../feishu-auth.injection.js';
import { TokenService } from '../token.service.js';
import { createLarkClient, type LarkClientOptions } from './create-lark-client.js';
import { nestLogger } from './nest-logger.js';

/**
 * Options of {@link FeishuLarkModule.forFeature}.
 *
 * @publicApi
 */
export interface FeishuLarkFeature {
  /** The instance of `FeishuAuthModule`. @default the unnamed instance */
  name?: string;
  /** Options of {@link createLarkClient}. @default the client logs through Nest's Logger */
  client?: LarkClientOptions;
  /** The module that exports `FeishuAuthModule`, if it is not global (`isGlobal: false`). */
  imports?: ModuleMetadata['imports'];
}

/**
 * Makes the official client injectable: as `Client` of `@larksuiteoapi/node-sdk`, or with {@link InjectLarkClient} for a
 * named instance.
 *
 * @example
 * imports: [FeishuAuthModule.forRoot({ appId, appSecret }), FeishuLarkModule.forFeature()]
 *
 * constructor(private readonly lark: Client) {}
 *
 * @publicApi
 */
@Module({})
export class FeishuLarkModule {
  /** Provides the client of one instance to the importing module. */
  static forFeature({ name, client, imports }: FeishuLarkFeature = {}): DynamicModule {
    const provide = getLarkClientToken(name);
    const logger = new Logger(name === undefined ? 'FeishuLark' : `FeishuLark:${name}`);
    return {
      module: FeishuLarkModule,
      ...(imports && { imports }),
      providers: [
        {
          provide,
          inject: [getFeishuServiceToken(TokenService, name)],
          useFactory: (tokens: TokenService) =>
            createLarkClient(tokens, { logger: nestLogger(logger), ...client }),
        },
      ],
      exports: [provide],
    };
  }
}

/**
 * Returns the injection token of the client of one instance: `Client` for the unnamed instance.
 *
 * @publicApi
 */
export function getLarkClientToken(name?: string): InjectionToken {
  return isUnnamed(name) ? Client : namedToken('Client', name);
}

/**
 * Injects the official client of the instance `name`, or of the unnamed instance.
 *
 * @publicApi
 */
export function InjectLarkClient(name?: string): ParameterDecorator {
  return Inject(getLarkClientToken(name));
}
