import { Inject, type InjectionToken, type Type } from '@nestjs/common';
import { serviceIdOf } from './identity/feishu-service.decorator.js';
import { TokenService } from './token.service.js';

/**
 * Returns the injection token of `service` of one instance: the class for the unnamed instance, a string for a named one.
 * The string is the same in every copy of this package, also in minified code.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for a name and a class that is not a service of this package
 *
 * @example
 * moduleRef.get(getFeishuAuthToken(TokenService, 'lark'), { strict: false });
 *
 * @publicApi
 */
export function getFeishuServiceToken(service: Type, name?: string): InjectionToken {
  return isUnnamed(name) ? service : namedToken(serviceIdOf(service), name);
}

/** The unnamed instance may be asked for by its name as well. @internal */
export function isUnnamed(name: string | undefined): name is undefined | 'default' {
  return name === undefined || name === 'default';
}

/** @internal */
export function namedToken(id: string, name: string): string {
  return `FeishuAuth:${id}(${name})`;
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
 * Injects `service` of the instance `name`, or of the unnamed instance.
 *
 * @publicApi
 */
export function InjectFeishuAuth(service: Type, name?: string): ParameterDecorator {
  return Inject(getFeishuServiceToken(service, name));
}

/**
 * Injects the {@link TokenService} of the instance `name`, or of the unnamed instance.
 *
 * @publicApi
 */
export function InjectTokenService(name?: string): ParameterDecorator {
  return InjectFeishuAuth(TokenService, name);
}
