import { type DiscoveryService, type MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { decoratedMethods } from '../discovery/decorated-methods.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { INSTANCE_NAME } from '../feishu-auth.instance-name.js';
import { type EventDispatcher } from './event-dispatcher.js';
import { handledBy } from './on-feishu-event.decorator.js';

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
    const { instance, discovery, scanner, dispatcher } = this.#deps;
    for (const { mark, name, call, isSingleton } of decoratedMethods(discovery, scanner, handledBy)) {
      this.#assertInstanceExists(mark.instance, name);
      if (mark.instance !== instance) continue;
      if (!isSingleton) {
        throw invalid(
          `@OnFeishuEvent() on ${name}: request-scoped and transient providers cannot handle events; use a singleton`,
        );
      }
      dispatcher.register(mark.eventType, name, call);
    }
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
