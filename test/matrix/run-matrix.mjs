// Proves the claims of package.json: the tests and the packed package on other versions of node, and on Nest 11.
// `--only node22`, `--only node24` or `--only nest11` runs one cell.
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CheckList } from '../package/check-list.mjs';
import { runProcess } from '../package/run-process.mjs';
import { copyForNest11 } from './nest-11.mjs';
import { environmentOf, nodeBinary } from './node-binary.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CACHE = join(REPOSITORY, 'node_modules', '.cache');
const STEP_LIMIT_MS = 25 * 60_000;

const CELLS = {
  node22: { name: 'node 22', run: () => onNode(22) },
  node24: { name: 'node 24', run: () => onNode(24) },
  nest11: { name: 'nest 11', run: onNest11 },
};

const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
if (only !== undefined && !(only in CELLS)) {
  console.error(`--only takes one of: ${Object.keys(CELLS).join(', ')}`);
  process.exit(2);
}

const checks = new CheckList();
for (const [id, cell] of Object.entries(CELLS)) {
  if (only !== undefined && only !== id) continue;
  console.log(`\n== ${cell.name} ==`);
  await checks.run(cell.name, cell.run);
}
checks.end();

async function onNode(major) {
  const binary = await nodeBinary(major, CACHE);
  await build(REPOSITORY);
  await jest(binary, REPOSITORY);
  await smoke(binary, REPOSITORY);
  return (await runProcess(binary, ['--version'])).trim();
}

async function onNest11() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nestjs-feishu-auth-nest-11-')));
  try {
    await copyForNest11(REPOSITORY, folder);
    await step('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    await build(folder);
    await step(process.execPath, [bin('typescript', 'tsc'), '--noEmit', '-p', 'test/tsconfig.json'], {
      cwd: folder,
    });
    await jest(process.execPath, folder);
    await smoke(process.execPath, folder);
    return `@nestjs/core ${await versionOf('@nestjs/core', folder)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function build(cwd) {
  return step('npm', ['run', '--silent', 'build'], { cwd });
}

function jest(binary, cwd) {
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', bin('jest', 'jest.js')];
  return step(binary, args, { cwd, env: environmentOf(binary) });
}

function smoke(binary, cwd) {
  const script = join('test', 'package', 'check-package.mjs');
  return step(binary, [script, '--smoke'], { cwd, env: environmentOf(binary) });
}

function step(command, args, options) {
  return runProcess(command, args, { timeoutMs: STEP_LIMIT_MS, echo: true, ...options });
}

/** A tool's script, seen from the working folder. */
function bin(name, script) {
  return join('node_modules', name, 'bin', script);
}

async function versionOf(name, folder) {
  const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return JSON.parse(manifest).version;
}
