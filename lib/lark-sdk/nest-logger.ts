import { inspect } from 'node:util';
import { type LoggerService } from '@nestjs/common';
import type * as lark from '@larksuiteoapi/node-sdk';

/** Passes the SDK's messages to Nest's Logger. */
export function nestLogger(logger: LoggerService): lark.Logger {
  return {
    error: (...messages: unknown[]) => logger.error(textOf(messages)),
    warn: (...messages: unknown[]) => logger.warn(textOf(messages)),
    info: (...messages: unknown[]) => logger.log(textOf(messages)),
    debug: (...messages: unknown[]) => logger.debug?.(textOf(messages)),
    trace: (...messages: unknown[]) => logger.verbose?.(textOf(messages)),
  };
}

/** The SDK wraps its messages into an array. */
function textOf(messages: readonly unknown[]): string {
  const parts = messages.flat(2);
  return parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 5 }))).join(' ');
}
