import { type InjectionToken, Logger, type Provider, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { FeishuAuthEngine } from './feishu-auth.engine.js';
import { type FeishuAuthModuleExtras, type FeishuAuthModuleOptions } from './feishu-auth.options.js';
import { getFeishuAuthToken } from './feishu-auth.tokens.js';
import { FeishuAuthHealthIndicator } from './health/feishu-auth.health.js';
import { FeishuHttpService } from './http/feishu-http.service.js';
import { InstanceNameGuard, INSTANCE_NAME } from './instance-name.guard.js';
import { TokenPrewarmer } from './prewarm/token-prewarmer.js';
import { resolveOptions } from './resolve-options.js';
import { AppTicketService } from './ticket/app-ticket.service.js';
import { Clock } from './time/clock.js';
import { RandomSource, SystemRandomSource } from './time/random-source.js';
import { SystemClock } from './time/system-clock.js';
import { TokenService } from './token.service.js';

/** Set by ConfigurableModuleBuilder; each instance's module has its own. */
export const MODULE_OPTIONS = 'FEISHU_AUTH_MODULE_OPTIONS';

const nameOf = (extras: FeishuAuthModuleExtras): string => extras.name ?? 'default';

/** What users inject; how each is made from the engine. */
const SERVICES: readonly {
  readonly service: Type;
  readonly make: (
    engine: FeishuAuthEngine,
    logger: Logger,
    registry: SchedulerRegistry | undefined,
  ) => unknown;
}[] = [
  {
    service: TokenService,
    make: ({ reader, metrics, options }, logger) =>
      new TokenService(reader, metrics, (text) => logger.log(text), options.appType),
  },
  { service: AppTicketService, make: ({ tickets }) => tickets },
  {
    service: TokenPrewarmer,
    make: ({ options, reader, tickets, metrics, clock, probeStore }, logger, registry) =>
      new TokenPrewarmer({
        instance: options.instance,
        appType: options.appType,
        options: options.prewarm === false ? undefined : options.prewarm,
        reader,
        tickets,
        metrics,
        clock,
        registry,
        probeStore,
        warn: (message) => logger.warn(message),
      }),
  },
  {
    service: FeishuAuthHealthIndicator,
    make: ({ options, metrics, reader, tickets }) =>
      new FeishuAuthHealthIndicator({
        instance: options.instance,
        appType: options.appType,
        metrics,
        slots: reader,
        hasTicket: () => tickets.hasTicket(),
      }),
  },
  {
    service: FeishuHttpService,
    make: ({ options, reader, clock }) =>
      new FeishuHttpService({ tokens: reader, openOrigin: options.openOrigin, fetch: options.fetch, clock }),
  },
];

/** The providers of one instance. A named one provides its services under their named tokens only. */
export function providersOf(extras: FeishuAuthModuleExtras): Provider[] {
  const logger = new Logger(extras.name === undefined ? 'FeishuAuth' : `FeishuAuth:${extras.name}`);
  return [
    { provide: INSTANCE_NAME, useValue: nameOf(extras) },
    {
      provide: InstanceNameGuard,
      useFactory: (name: string, modules: ModulesContainer) => new InstanceNameGuard(name, modules),
      inject: [INSTANCE_NAME, ModulesContainer],
    },
    { provide: Clock, useClass: SystemClock },
    { provide: RandomSource, useClass: SystemRandomSource },
    {
      provide: FeishuAuthEngine,
      useFactory: (options: FeishuAuthModuleOptions, clock: Clock, random: RandomSource) =>
        new FeishuAuthEngine(resolveOptions(options, extras), clock, random, logger),
      inject: [MODULE_OPTIONS, Clock, RandomSource],
    },
    ...SERVICES.map(({ service, make }) => ({
      provide: getFeishuAuthToken(service, extras.name),
      useFactory: (engine: FeishuAuthEngine, registry?: SchedulerRegistry) => make(engine, logger, registry),
      inject: [FeishuAuthEngine, { token: SchedulerRegistry, optional: true }],
    })),
  ];
}

/** The tokens under which one instance's services can be injected elsewhere. */
export function exportsOf(extras: FeishuAuthModuleExtras): InjectionToken[] {
  return SERVICES.map(({ service }) => getFeishuAuthToken(service, extras.name));
}
