import * as lark from '@larksuiteoapi/node-sdk';
import { redact } from './redact.js';

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const;

/**
 * Options of {@link larkLogger}.
 *
 * @publicApi
 */
export interface LarkLoggerOptions {
  /** The least important level that is logged. `LoggerLevel.fatal` logs nothing. @default LoggerLevel.info */
  loggerLevel?: lark.LoggerLevel | undefined;
  /** Secret texts to remove, in addition to what is recognised by its name or its form. @default [] */
  secrets?: readonly string[];
}

/**
 * Creates a logger for the SDK that removes secrets and tokens from headers, bodies, errors and nested values before it
 * passes a message to `target`. It copies the values and does not change them.
 *
 * @param target receives the messages @default the SDK's logger, which writes to the console
 *
 * @publicApi
 */
export function larkLogger(
  target: lark.Logger = lark.defaultLogger,
  options: LarkLoggerOptions = {},
): lark.Logger {
  const { loggerLevel = lark.LoggerLevel.info, secrets = [] } = options;
  const entries = LEVELS.map((level) => [
    level,
    (...messages: unknown[]): void | Promise<void> => {
      // The SDK checks the level as well, but treats `fatal`, which is 0, as not set.
      if (lark.LoggerLevel[level] > loggerLevel) return;
      return target[level](...messages.map((message) => redact(message, secrets)));
    },
  ]);
  return Object.fromEntries(entries) as lark.Logger;
}
