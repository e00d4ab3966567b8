import { spawnSync } from 'node:child_process';

export const REDIS_SERVER = process.env['REDIS_SERVER_BIN'] ?? 'redis-server';

/** Of the redis-server on this machine, if there is one. */
export function redisVersion(): string | undefined {
  const { status, stdout } = spawnSync(REDIS_SERVER, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/\bv=(\S+)/.exec(stdout)?.[1] ?? 'unknown') : undefined;
}
