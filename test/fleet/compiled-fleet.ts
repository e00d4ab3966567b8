import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const LIMIT_MS = 60_000;

/** A copy of the library that differs from this one: another version of it. */
export interface OtherVersion {
  name: string;
  /** The file to change, below `lib/`, and what in it becomes what. */
  file: string;
  from: string;
  to: string;
}

/** Where the compiled `test/fleet/fleet-process.ts` is, with the library beside it: what is out of date is compiled. */
export async function compiledFleet(other?: OtherVersion): Promise<string> {
  const into = join(REPOSITORY, '.build', other?.name ?? 'fleet');
  mkdirSync(into, { recursive: true });
  await exclusively(join(into, 'lock'), () => {
    const { options } = ts.convertCompilerOptionsFromJson(
      ts.parseConfigFileTextToJson('', readFileSync(join(REPOSITORY, 'tsconfig.json'), 'utf8')).config
        .compilerOptions,
      REPOSITORY,
    );
    // Alone a file cannot know that the package is ESM.
    options.module = ts.ModuleKind.ESNext;
    options.moduleResolution = ts.ModuleResolutionKind.Bundler;
    for (const file of sources()) {
      const output = join(into, file.replace(/\.ts$/, '.js'));
      if (isCurrent(join(REPOSITORY, file), output)) continue;
      let text = readFileSync(join(REPOSITORY, file), 'utf8');
      if (other && file === join('lib', other.file)) text = changed(text, other);
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(
        output,
        ts.transpileModule(text, { compilerOptions: options, fileName: file }).outputText,
      );
    }
  });
  return join(into, 'test', 'fleet', 'fleet-process.js');
}

function sources(): string[] {
  const lib = join(REPOSITORY, 'lib');
  const files = readdirSync(lib, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)));
  return [
    ...files,
    ...['fleet-process.ts', 'fleet-messages.ts', 'rejected-use.ts', 'event-process.ts'].map((name) =>
      join('test', 'fleet', name),
    ),
  ];
}

function isCurrent(source: string, output: string): boolean {
  const built = statSync(output, { throwIfNoEntry: false });
  return built !== undefined && built.mtimeMs > statSync(source).mtimeMs;
}

function changed(text: string, { file, from, to }: OtherVersion): string {
  if (!text.includes(from)) throw new Error(`lib/${file} has no '${from}' to change`);
  return text.replaceAll(from, to);
}

/** Jest may run two files at once, and each would compile. */
async function exclusively(lock: string, work: () => void): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const held = statSync(lock, { throwIfNoEntry: false });
      // Left behind by a run that was ended.
      if (held && Date.now() - held.mtimeMs > LIMIT_MS / 2) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > giveUpAt) throw new Error(`${lock} is held for too long`);
      await pause(50);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
