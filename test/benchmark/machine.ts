import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { redisVersion } from './load/redis-binary.js';

/** Where a run was measured: what of the machine matters, and nothing that names it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = [
  '@nestjs/core',
  '@larksuiteoapi/node-sdk',
  'cache-manager',
  'bentocache',
  'google-auth-library',
  'keyv',
  '@keyv/redis',
  '@redis/client',
  'tinybench',
];

export function machine(): Machine {
  const processors = cpus();
  const redis = redisVersion();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    versions: {
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
      ...(redis !== undefined && { 'redis-server': redis }),
    },
  };
}

/** Of the package that an import would find here; not every one exports its package.json. */
function versionOf(name: string): string {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(folder, name, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

/** The root of the repository, seen from where the compiled benchmark lies: `.build/bench/test/benchmark`. */
export const REPOSITORY = join(dirname(new URL(import.meta.url).pathname), '..', '..', '..', '..');
