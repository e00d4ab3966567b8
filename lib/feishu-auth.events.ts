import { type Provider, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { BuiltInEventHandlers } from './events/built-in-event-handlers.js';
import { EventDeduplicator } from './events/event-deduplicator.js';
import { EventDispatcher } from './events/event-dispatcher.js';
import { EventHandlersExplorer } from './events/event-handlers.explorer.js';
import { EventIntake } from './events/event-intake.js';
import { EventLog } from './events/event-log.js';
import { EventVerifier } from './events/event-verifier.js';
import { createEventController } from './events/event.controller.js';
import { FeishuEventService } from './events/feishu-event.service.js';
import { FeishuAuthEngine } from './feishu-auth.engine.js';
import { getFeishuServiceToken } from './feishu-auth.injection.js';
import { INSTANCE_NAME } from './feishu-auth.instance-name.js';
import { type FeishuAuthModuleExtras } from './feishu-auth.options.js';
import { ThrottledLog, type ModuleLogger } from './time/throttled-log.js';
import { cacheKey } from './tokens/token-query.js';

/** What takes in the events of one instance, put together from its engine. */
export class EventEndpoint {
  readonly dispatcher: EventDispatcher;
  readonly intake: EventIntake;

  constructor(engine: FeishuAuthEngine, logger: ModuleLogger) {
    const { options, clock, lock, tickets, tenants, users, eventMetrics: metrics } = engine;
    const { events, appId, appType } = options;
    const log = new EventLog(new ThrottledLog(logger, clock));
    this.dispatcher = new EventDispatcher({ clock, log, metrics });
    this.intake = new EventIntake({
      verifier: events && new EventVerifier({ appId, options: events, clock }),
      deduplicator: new EventDeduplicator({
        lock,
        clock,
        maxSkewMs: events?.maxSkewMs ?? 0,
        keyOf: (claim) => cacheKey(options, 'event', claim),
        onUnguarded: () => {
          metrics.unguarded();
          log.unguarded();
        },
      }),
      builtIn: new BuiltInEventHandlers({ appType, tickets, tenants, logins: users?.logins, clock }),
      dispatcher: this.dispatcher,
      metrics,
      log,
      clock,
    });
  }
}

/** The controller of `webhookPath`, if there is one. */
export function eventControllersOf({ webhookPath }: FeishuAuthModuleExtras): Type[] {
  return webhookPath === undefined ? [] : [createEventController(webhookPath)];
}

export function eventProvidersOf(extras: FeishuAuthModuleExtras, logger: ModuleLogger): Provider[] {
  return [
    {
      provide: EventEndpoint,
      useFactory: (engine: FeishuAuthEngine) => new EventEndpoint(engine, logger),
      inject: [FeishuAuthEngine],
    },
    {
      provide: EventIntake,
      useFactory: ({ intake }: EventEndpoint) => intake,
      inject: [EventEndpoint],
    },
    {
      provide: getFeishuServiceToken(FeishuEventService, extras.name),
      useFactory: (intake: EventIntake) => new FeishuEventService(intake),
      inject: [EventIntake],
    },
    {
      provide: EventHandlersExplorer,
      useFactory: (
        instance: string,
        discovery: DiscoveryService,
        scanner: MetadataScanner,
        modules: ModulesContainer,
        { dispatcher }: EventEndpoint,
      ) => new EventHandlersExplorer({ instance, discovery, scanner, modules, dispatcher }),
      inject: [INSTANCE_NAME, DiscoveryService, MetadataScanner, ModulesContainer, EventEndpoint],
    },
  ];
}
