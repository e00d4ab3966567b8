import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

// A package of its own around the build that is measured, so that the benchmark imports it by its name, as users do.
const folder = new URL('../../.build/bench/', import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const exports = {
  '.': './lib/index.js',
  './redis': './lib/redis/index.js',
  './testing': './lib/testing/index.js',
};
writeFileSync(
  new URL('package.json', folder),
  JSON.stringify({ name: 'nestjs-feishu-auth', type: 'module', exports }),
);
