import { type DiscoveryService, type MetadataScanner } from '@nestjs/core';

type Methods = Readonly<Partial<Record<string, (...args: never[]) => unknown>>>;

/** A method that carries a mark of ours. */
export interface DecoratedMethod<TMark> {
  readonly mark: TMark;
  /** `Class.method`, for messages. */
  readonly name: string;
  /** Calls the method on the one object that the application has of its class. */
  readonly call: (argument: unknown) => unknown;
  /** `false` for a class of which Nest makes more than one object: request-scoped or transient. */
  readonly isSingleton: boolean;
}

/** Finds the methods of all providers and controllers on which `marksOf` finds something. */
export function decoratedMethods<TMark>(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  marksOf: (method: unknown) => readonly TMark[],
): DecoratedMethod<TMark>[] {
  const found: DecoratedMethod<TMark>[] = [];
  const explored = new Set<unknown>();
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null || explored.has(instance)) continue;
    explored.add(instance);
    const prototype = Object.getPrototypeOf(instance) as Methods | null;
    if (!prototype) continue;
    for (const method of scanner.getAllMethodNames(prototype)) {
      // Read from the prototype: reading from the instance could run a getter or a proxy of the application.
      for (const mark of marksOf(prototype[method])) {
        found.push({
          mark,
          name: `${String(wrapper.name)}.${method}`,
          call: (argument) => (instance as Methods)[method]?.(argument as never),
          isSingleton: wrapper.isDependencyTreeStatic() && !wrapper.isTransient,
        });
      }
    }
  }
  return found;
}
