import { type Logger } from '@nestjs/common';
import { type LoadedCopy, takeCopiesToReport } from './loaded-copies.js';

/** Warns once a process, at start-up, when it has loaded several copies of this package. */
export class DuplicateCopies {
  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  /** @internal */
  onModuleInit(): void {
    const copies = takeCopiesToReport();
    if (copies !== undefined) this.logger.warn(describeCopies(copies));
  }
}

/** What several copies mean, and how to get to one. @internal */
export function describeCopies(copies: readonly Pick<LoadedCopy, 'version' | 'format'>[]): string {
  const names = copies.map(({ version, format }) => `${version} (${format})`).join(', ');
  return (
    `This process has loaded ${copies.length} copies of nestjs-feishu-auth: ${names}. ` +
    'Injection, decorators and isFeishuAuthError() work across them; instanceof does not. ' +
    adviceFor(copies)
  );
}

function adviceFor(copies: readonly Pick<LoadedCopy, 'version' | 'format'>[]): string {
  if (new Set(copies.map(({ version }) => version)).size > 1)
    return 'To load one: run `npm ls nestjs-feishu-auth`, and install one version everywhere.';
  if (new Set(copies.map(({ format }) => format)).size > 1)
    return 'To load one: use either `import` or `require()` for it in the whole application, its packages included.';
  return 'To load one: run `npm ls nestjs-feishu-auth`, then `npm dedupe`.';
}
