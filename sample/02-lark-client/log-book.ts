import { type LoggerService } from '@nestjs/common';
import { type Logger } from '@larksuiteoapi/node-sdk';
import { inspect } from 'node:util';

/** Keeps what is logged, instead of showing it in the middle of the figures. */
export class LogBook implements LoggerService {
  private readonly lines: string[] = [];

  readonly log = (): void => undefined;
  readonly warn = (...message: unknown[]): void => this.keep(message);
  readonly error = (...message: unknown[]): void => this.keep(message);

  /** The same book, for a client of the SDK that is not Nest's. */
  readonly forSdk: Logger = {
    error: this.error,
    warn: this.warn,
    info: this.log,
    debug: this.log,
    trace: this.log,
  };

  /** What was logged since the last look. */
  takeLines(): string[] {
    return this.lines.splice(0);
  }

  private keep(message: unknown[]): void {
    this.lines.push(
      message.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 8 }))).join(' '),
    );
  }
}
