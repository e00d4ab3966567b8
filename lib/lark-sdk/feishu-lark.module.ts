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
 * @publicApi
 */
export interface FeishuLarkFeature {
  /** Of which instance of `FeishuAuthModule`; the unnamed one unless told. */
  name?: string;
  /** For {@link createLarkClient}. Logs go to Nest's Logger unless there is a `logger` here. */
  client?: LarkClientOptions;
  /** The `FeishuAuthModule`, where it is not global (`isGlobal: false`). */
  imports?: ModuleMetadata['imports'];
}

/**
 * Makes the official client injectable: as `Client` of `@larksuiteoapi/node-sdk`, or by {@link InjectLarkClient} for a
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
  /** The client of one instance, for the module that imports this. */
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
 * The token under which the client of the instance called `name` is provided: `Client` itself for the unnamed one.
 *
 * @publicApi
 */
export function getLarkClientToken(name?: string): InjectionToken {
  return isUnnamed(name) ? Client : namedToken('Client', name);
}

/**
 * Injects the official client of the instance called `name`.
 *
 * @publicApi
 */
export function InjectLarkClient(name?: string): ParameterDecorator {
  return Inject(getLarkClientToken(name));
}
