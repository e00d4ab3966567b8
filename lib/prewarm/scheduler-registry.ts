import { type ModulesContainer } from '@nestjs/core';

/**
 * What of the `SchedulerRegistry` of `@nestjs/schedule` is used.
 *
 * @internal
 */
export interface IntervalRegistry {
  doesExist(type: 'interval', name: string): boolean;
  addInterval(name: string, handle: unknown): void;
  deleteInterval(name: string): void;
}

const METHODS = ['doesExist', 'addInterval', 'deleteInterval', 'getCronJobs'] as const;

/**
 * The host's `SchedulerRegistry`, if it has one. Found by its methods, so that `@nestjs/schedule` is loaded only in an
 * application that uses it.
 *
 * @internal
 */
export function findSchedulerRegistry(modules: ModulesContainer): IntervalRegistry | undefined {
  for (const module of modules.values()) {
    for (const [token, provider] of module.providers) {
      if (isSchedulerRegistry(token)) return provider.instance as IntervalRegistry;
    }
  }
  return undefined;
}

/** By the class, not the instance: a read of a property of an unknown instance can run code of the application. */
function isSchedulerRegistry(token: unknown): boolean {
  if (typeof token !== 'function') return false;
  const prototype: unknown = token.prototype;
  if (typeof prototype !== 'object' || prototype === null) return false;
  return METHODS.every(
    (name) => typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function',
  );
}
