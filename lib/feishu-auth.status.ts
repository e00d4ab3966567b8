import { type Provider, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type FeishuAuthModuleExtras } from './feishu-auth.options.js';
import { StatusBoard } from './status/status-board.js';
import { createStatusController } from './status/status.controller.js';
import { Clock } from './time/clock.js';

/** The status page, if `statusPage` is given. */
export function statusControllersOf({ statusPage }: FeishuAuthModuleExtras): Type[] {
  return statusPage === undefined ? [] : [createStatusController(statusPage)];
}

export function statusProvidersOf({ statusPage }: FeishuAuthModuleExtras): Provider[] {
  if (statusPage === undefined) return [];
  return [
    ...(statusPage.guards ?? []),
    {
      provide: StatusBoard,
      useFactory: (modules: ModulesContainer, clock: Clock) => new StatusBoard(modules, clock),
      inject: [ModulesContainer, Clock],
    },
  ];
}
