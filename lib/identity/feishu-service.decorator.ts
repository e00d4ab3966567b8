import { type Type } from '@nestjs/common';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { registerService } from './loaded-copies.js';

/** Registered, so that each copy of this package reads the ids of the others. */
const SERVICE_ID = Symbol.for('nestjs-feishu-auth:service-id');

/**
 * Gives an injectable class an id that is the same in every copy of this package and that no minifier renames. Each
 * service of `feishu-auth.providers.ts` has one.
 *
 * @internal
 */
export function FeishuService(id: string): ClassDecorator {
  return (target) => {
    Object.defineProperty(target, SERVICE_ID, { value: id });
    registerService(id, target as unknown as Type);
  };
}

/**
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for a class that is not a service of this package
 *
 * @internal
 */
export function serviceIdOf(service: Type): string {
  const id = (service as { [SERVICE_ID]?: string } | undefined)?.[SERVICE_ID];
  if (id !== undefined) return id;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    `${service?.name ?? String(service)} is not a service of nestjs-feishu-auth: name one that FeishuAuthModule provides, e.g. TokenService`,
  );
}
