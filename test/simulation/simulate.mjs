import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Compiled first: what is measured for minutes must not run through a loader. */
const steps = [
  ['node_modules/typescript/bin/tsc', '-p', 'test/simulation/tsconfig.json'],
  ['.build/simulation/test/simulation/simulate.js', ...process.argv.slice(2)],
];
for (const step of steps) {
  const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
