import { type LoggerService } from '@nestjs/common';
import { type Logger } from '@larksuiteoapi/node-sdk';
import { inspect } from 'node:util';

/** Collects log lines, so that they do not appear between the figures. */
export class LogBook implements LoggerService {
  private readonly lines: string[] = [];

  readonly log = (): void => undefined;
  readonly warn = (...message: unknown[]): void => this.keep(message);
  readonly error = (...message: unknown[]): void => this.keep(message);

  /** A logger for an SDK client outside Nest. */
  readonly forSdk: Logger = {
    error: this.error,
    warn: this.warn,
    info: this.log,
    debug: this.log,
    trace: this.log,
  };

  /** Returns the lines since the last call. */
  takeLines(): string[] {
    return this.lines.splice(0);
  }

  private keep(message: unknown[]): void {
    this.lines.push(
      message.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 8 }))).join(' '),
    );
  }
}
