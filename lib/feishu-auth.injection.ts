import { Inject, type InjectionToken, type Type } from '@nestjs/common';
import { TokenService } from './token.service.js';

/**
 * The token under which an instance of the module provides `service`: the class itself for the unnamed instance, a
 * readable string for a named one.
 *
 * @example
 * moduleRef.get(getFeishuAuthToken(TokenService, 'lark'), { strict: false });
 *
 * @publicApi
 */
export function getFeishuServiceToken(service: Type, name?: string): InjectionToken {
  return name === undefined || name === 'default' ? service : `FeishuAuth:${service.name}(${name})`;
}

/**
 * The former name of {@link getFeishuServiceToken}.
 *
 * @deprecated It returns an injection token, not an access token: use {@link getFeishuServiceToken}.
 *
 * @publicApi
 */
export const getFeishuAuthToken = getFeishuServiceToken;

/**
 * Injects `service` of the instance called `name`.
 *
 * @publicApi
 */
export function InjectFeishuAuth(service: Type, name?: string): ParameterDecorator {
  return Inject(getFeishuServiceToken(service, name));
}

/**
 * Injects the {@link TokenService} of the instance called `name`.
 *
 * @publicApi
 */
export function InjectTokenService(name?: string): ParameterDecorator {
  return InjectFeishuAuth(TokenService, name);
}
