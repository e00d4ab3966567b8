// Builds dist/esm and dist/cjs from lib/, and keeps the entry points in package.json up to date.
// tsc checks and writes the ES modules. The CommonJS build is the same sources, transpiled, and the same declarations.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { writeEntryPoints } from './entry-points.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const ESM = join(REPOSITORY, 'dist', 'esm');
const CJS = join(REPOSITORY, 'dist', 'cjs');
/** Command lines are ES modules only: they run by themselves, and nothing imports them. */
const COMMAND_LINE = /\.cli\.(js|d\.ts)$/;

if (writeEntryPoints(REPOSITORY)) console.log('package.json: the entry points changed; commit them');
rmSync(join(REPOSITORY, 'dist'), { recursive: true, force: true });
buildEsm();
buildCjs();
nameCopy(ESM, 'ES modules');
nameCopy(CJS, 'CommonJS');

function buildEsm() {
  const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], {
    cwd: REPOSITORY,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

function buildCjs() {
  const options = compilerOptions();
  const built = readdirSync(ESM, { recursive: true }).filter((file) => !COMMAND_LINE.test(file));
  for (const file of built) {
    if (file.endsWith('.d.ts')) copyDeclaration(file);
    else if (file.endsWith('.js')) transpile(file.replace(/\.js$/, '.ts'), options);
  }
  // The package is of type `module`; this folder is not.
  writeFileSync(join(CJS, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
}

/** Those of tsconfig.json, with modules as CommonJS. `isolatedModules` there makes sure that a file can be transpiled alone. */
function compilerOptions() {
  const { config } = ts.readConfigFile(join(REPOSITORY, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, REPOSITORY);
  const commonJs = { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Bundler };
  return { ...options, ...commonJs, esModuleInterop: true };
}

function transpile(source, options) {
  const fileName = join(REPOSITORY, 'lib', source);
  const { outputText, sourceMapText } = ts.transpileModule(readFileSync(fileName, 'utf8'), {
    fileName,
    compilerOptions: options,
  });
  const output = join(CJS, source.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, outputText);
  const from = relative(dirname(output), fileName).split(sep).join('/');
  writeFileSync(`${output}.map`, JSON.stringify({ ...JSON.parse(sourceMapText), sources: [from] }));
}

function copyDeclaration(file) {
  const output = join(CJS, file);
  mkdirSync(dirname(output), { recursive: true });
  copyFileSync(join(ESM, file), output);
}

/** Each build knows its version and format, so that a process with several copies can name them. */
function nameCopy(folder, format) {
  const file = join(folder, 'identity', 'this-copy.js');
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const text = readFileSync(file, 'utf8');
  const named = text
    .replace("version: 'sources'", `version: '${version}'`)
    .replace("format: 'sources'", `format: '${format}'`);
  if (named === text) throw new Error(`${file} has no place for the version and the format`);
  writeFileSync(file, named);
}
