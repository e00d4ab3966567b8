import * as lark from '@larksuiteoapi/node-sdk';
import { redact } from './redact.js';

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const;

/**
 * @publicApi
 */
export interface LarkLoggerOptions {
  /** Less important messages are left out; `LoggerLevel.fatal` leaves out all. @default LoggerLevel.info */
  loggerLevel?: lark.LoggerLevel | undefined;
  /** Texts that are secret wherever they stand, besides what is known by its name or its looks. @default [] */
  secrets?: readonly string[];
}

/**
 * A logger for the SDK that passes on to `target` what it is told, without secrets and tokens: not in a header, a body,
 * an `AxiosError` or anything deep within. What it is told is copied, never changed.
 *
 * @param target @default the SDK's own, which writes to the console
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
      // The SDK looks at the level as well, but takes `fatal`, which is 0, for none given.
      if (lark.LoggerLevel[level] > loggerLevel) return;
      return target[level](...messages.map((message) => redact(message, secrets)));
    },
  ]);
  return Object.fromEntries(entries) as lark.Logger;
}
