import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [script, ...options] = process.argv.slice(2);
const root = new URL('../../', import.meta.url);
const folder = new URL('.build/bench/', root);

/** @param {string[]} args */
function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: fileURLToPath(root), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// The build that is measured, as a package of its own: the benchmark imports it by its name, as users do.
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const exports = {
  '.': './lib/index.js',
  './redis': './lib/redis/index.js',
  './testing': './lib/testing/index.js',
};
const manifest = { name: 'nestjs-feishu-auth', type: 'module', exports };
writeFileSync(new URL('package.json', folder), JSON.stringify(manifest));
const compiler = 'node_modules/typescript/bin/tsc';
node(compiler, '-p', 'tsconfig.json', '--outDir', '.build/bench/lib');
node(compiler, '-p', 'test/benchmark/tsconfig.json');
node(`.build/bench/test/benchmark/${script}.js`, ...options);
