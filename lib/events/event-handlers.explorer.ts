import { type DiscoveryService, type MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { INSTANCE_NAME } from '../feishu-auth.instance-name.js';
import { type EventDispatcher } from './event-dispatcher.js';
import { type FeishuEvent } from './feishu-event.js';
import { handledBy, type HandledEvent } from './on-feishu-event.decorator.js';

/** What Nest knows about one provider or controller. */
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Methods = Readonly<Partial<Record<string, (event: FeishuEvent) => unknown>>>;

export interface ExplorerDependencies {
  readonly instance: string;
  readonly discovery: DiscoveryService;
  readonly scanner: MetadataScanner;
  readonly modules: ModulesContainer;
  readonly dispatcher: EventDispatcher;
}

/** Registers every `@OnFeishuEvent()` method of this instance at its {@link EventDispatcher}. */
export class EventHandlersExplorer {
  readonly #deps: ExplorerDependencies;

  constructor(deps: ExplorerDependencies) {
    this.#deps = deps;
  }

  onModuleInit(): void {
    const { discovery } = this.#deps;
    const explored = new Set<unknown>();
    for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null || explored.has(instance)) continue;
      explored.add(instance);
      this.#explore(wrapper, instance as Methods);
    }
  }

  #explore(wrapper: Wrapper, instance: Methods): void {
    const { scanner } = this.#deps;
    const prototype = Object.getPrototypeOf(instance) as Methods | null;
    if (!prototype) return;
    for (const method of scanner.getAllMethodNames(prototype)) {
      // Read from the prototype: on the instance it could run a getter or a proxy of the application.
      for (const handled of handledBy(prototype[method])) this.#register(wrapper, instance, method, handled);
    }
  }

  #register(wrapper: Wrapper, instance: Methods, method: string, handled: HandledEvent): void {
    const name = `${String(wrapper.name)}.${method}`;
    this.#assertInstanceExists(handled.instance, name);
    if (handled.instance !== this.#deps.instance) return;
    if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
      throw invalid(
        `@OnFeishuEvent() on ${name}: request-scoped and transient providers cannot handle events; use a singleton`,
      );
    }
    this.#deps.dispatcher.register(handled.eventType, name, (event) => instance[method]?.(event));
  }

  #assertInstanceExists(instance: string, handler: string): void {
    const exists = [...this.#deps.modules.values()].some(
      (module) => module.providers.get(INSTANCE_NAME)?.instance === instance,
    );
    if (exists) return;
    const which = instance === 'default' ? 'no unnamed instance' : `no instance named '${instance}'`;
    throw invalid(
      `@OnFeishuEvent() on ${handler}: there is ${which} of FeishuAuthModule; check the name in the decorator`,
    );
  }
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', message);
}
