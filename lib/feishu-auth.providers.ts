import { type ExistingProvider, type InjectionToken, Logger, type Provider, type Type } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { FeishuEventService } from './events/feishu-event.service.js';
import { whenListening } from './events/when-listening.js';
import { FeishuAuthEngine } from './feishu-auth.engine.js';
import { eventProvidersOf } from './feishu-auth.events.js';
import { type FeishuAuthModuleExtras, type FeishuAuthModuleOptions } from './feishu-auth.options.js';
import { getFeishuServiceToken, isUnnamed } from './feishu-auth.injection.js';
import { createLoginService, loginProvidersOf } from './feishu-auth.login.js';
import { statusProvidersOf } from './feishu-auth.status.js';
import { createHealthIndicator, createPrewarmer, createTokenService } from './feishu-auth.services.js';
import { FeishuAuthHealthIndicator } from './health/feishu-auth.health.js';
import { FeishuHttpService } from './http/feishu-http.service.js';
import { UniqueInstanceName, INSTANCE_NAME } from './feishu-auth.instance-name.js';
import { DuplicateCopies } from './identity/duplicate-copies.js';
import { serviceIdOf } from './identity/feishu-service.decorator.js';
import { sameServiceOfOtherCopies } from './identity/loaded-copies.js';
import { FeishuLoginService } from './login/feishu-login.service.js';
import { findSchedulerRegistry, type IntervalRegistry } from './prewarm/scheduler-registry.js';
import { TokenPrewarmer } from './prewarm/token-prewarmer.js';
import { resolveOptions } from './feishu-auth.options.schema.js';
import { INSTANCE_TELEMETRY } from './telemetry/instance-telemetry.js';
import { AppTicketService } from './ticket/app-ticket.service.js';
import { Clock } from './time/clock.js';
import { RandomSource, SystemRandomSource } from './time/random-source.js';
import { SystemClock } from './time/system-clock.js';
import { TokenService } from './token.service.js';

/** Set by ConfigurableModuleBuilder. Each instance has a module with its own options. */
export const MODULE_OPTIONS = 'FEISHU_AUTH_MODULE_OPTIONS';

const nameOf = (extras: FeishuAuthModuleExtras): string => extras.name ?? 'default';

/** What a service may need from the host. */
interface Host {
  readonly logger: Logger;
  readonly findRegistry: () => IntervalRegistry | undefined;
  /** Resolves when the event endpoint can be reached; at once without an endpoint. */
  readonly whenReachable: () => Promise<void>;
}

/** The services that are made from the engine alone. */
const SERVICES: readonly {
  readonly service: Type;
  readonly make: (engine: FeishuAuthEngine, host: Host) => unknown;
}[] = [
  {
    service: TokenService,
    make: (engine, { logger }) => createTokenService(engine, (text) => logger.log(text)),
  },
  { service: AppTicketService, make: ({ tickets }) => new AppTicketService(tickets) },
  {
    service: TokenPrewarmer,
    make: (engine, { logger, findRegistry, whenReachable }) =>
      createPrewarmer(engine, { findRegistry, whenReachable, warn: (message) => logger.warn(message) }),
  },
  { service: FeishuLoginService, make: createLoginService },
  { service: FeishuAuthHealthIndicator, make: createHealthIndicator },
  {
    service: FeishuHttpService,
    make: ({ options, reader, clock }) =>
      new FeishuHttpService({ tokens: reader, openOrigin: options.openOrigin, fetch: options.fetch, clock }),
  },
];

/** What users inject. */
const PUBLIC_SERVICES: readonly Type[] = [...SERVICES.map(({ service }) => service), FeishuEventService];

/** The providers of one instance. A named instance provides its services only under their named tokens. */
export function providersOf(extras: FeishuAuthModuleExtras): Provider[] {
  const logger = new Logger(extras.name === undefined ? 'FeishuAuth' : `FeishuAuth:${extras.name}`);
  return [
    { provide: INSTANCE_NAME, useValue: nameOf(extras) },
    {
      provide: UniqueInstanceName,
      useFactory: (name: string, modules: ModulesContainer) => new UniqueInstanceName(name, modules),
      inject: [INSTANCE_NAME, ModulesContainer],
    },
    { provide: DuplicateCopies, useFactory: () => new DuplicateCopies(logger) },
    { provide: Clock, useClass: SystemClock },
    { provide: RandomSource, useClass: SystemRandomSource },
    {
      provide: FeishuAuthEngine,
      useFactory: (options: FeishuAuthModuleOptions, clock: Clock, random: RandomSource) =>
        new FeishuAuthEngine(resolveOptions(options, extras), clock, random, logger),
      inject: [MODULE_OPTIONS, Clock, RandomSource],
    },
    {
      provide: INSTANCE_TELEMETRY,
      useFactory: ({ telemetry }: FeishuAuthEngine) => telemetry,
      inject: [FeishuAuthEngine],
    },
    ...statusProvidersOf(extras),
    ...SERVICES.map(({ service, make }) => ({
      provide: getFeishuServiceToken(service, extras.name),
      useFactory: (engine: FeishuAuthEngine, modules: ModulesContainer, adapter?: HttpAdapterHost) => {
        const whenReachable = (): Promise<void> =>
          extras.webhookPath === undefined ? Promise.resolve() : whenListening(adapter, engine.clock);
        return make(engine, { logger, findRegistry: () => findSchedulerRegistry(modules), whenReachable });
      },
      inject: [FeishuAuthEngine, ModulesContainer, { token: HttpAdapterHost, optional: true }],
    })),
    ...eventProvidersOf(extras, logger),
    ...loginProvidersOf(extras, logger),
    ...aliasesOf(extras),
  ];
}

/** The injection tokens of one instance's services. */
export function exportsOf(extras: FeishuAuthModuleExtras): InjectionToken[] {
  const own = PUBLIC_SERVICES.map((service) => getFeishuServiceToken(service, extras.name));
  return [...own, ...aliasesOf(extras).map(({ provide }) => provide)];
}

/**
 * The unnamed instance's services under the classes that other loaded copies of this package have for them. A named
 * instance needs none: its tokens are the same in every copy.
 */
function aliasesOf({ name }: FeishuAuthModuleExtras): ExistingProvider[] {
  if (!isUnnamed(name)) return [];
  return PUBLIC_SERVICES.flatMap((service) =>
    sameServiceOfOtherCopies(serviceIdOf(service)).map((provide) => ({ provide, useExisting: service })),
  );
}
