// Typechecks the examples of README.md and docs/: each block fenced as `ts` is a separate module.
// `ts no-check` marks one that cannot stand alone. Errors name the line of the markdown file.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { snippetsOf } from './snippets.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const FOLDER = join(REPOSITORY, '.build', 'snippets');

const CONFIG = {
  extends: '../../test/tsconfig.json',
  compilerOptions: {
    rootDir: '../..',
    moduleDetection: 'force',
    // An example declares what it does not go on to use, and reads process.env.NAME.
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
  },
  include: ['*.ts'],
};

const snippets = documents().flatMap((document) =>
  snippetsOf(readFileSync(join(REPOSITORY, document), 'utf8')).map((snippet, index) => ({
    ...snippet,
    document,
    file: join(FOLDER, `${document.replaceAll(/[^\w-]+/g, '-').replace(/-md$/, '')}-${index + 1}.ts`),
  })),
);
const checked = snippets.filter((snippet) => snippet.checked);

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
for (const snippet of checked) writeFileSync(snippet.file, snippet.text);

const errors = checked.length === 0 ? [] : typecheck(checked);
for (const error of errors) console.error(error);
console.log(
  `${checked.length} snippets checked, ${snippets.length - checked.length} marked no-check, ${errors.length} errors`,
);
process.exitCode = errors.length === 0 ? 0 : 1;

function documents() {
  const manual = readdirSync(join(REPOSITORY, 'docs'), { recursive: true })
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    // The API reference, which TypeDoc writes, has signatures instead of examples.
    .filter((name) => name.endsWith('.md') && !name.startsWith('docs/api/'));
  return ['README.md', ...manual];
}

function typecheck(written) {
  const config = ts.parseJsonConfigFileContent(CONFIG, ts.sys, FOLDER);
  const program = ts.createProgram(config.fileNames, config.options);
  const bySource = new Map(written.map((snippet) => [snippet.file.replaceAll('\\', '/'), snippet]));
  const own = [...bySource.keys()].map((file) => program.getSourceFile(file));
  const found = own.flatMap((source) => [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ]);
  // What is wrong inside of lib/ is for the typecheck of lib/ to tell.
  return [...config.errors, ...program.getOptionsDiagnostics(), ...found].map((diagnostic) =>
    describe(diagnostic, bySource),
  );
}

function describe({ file, start, code, messageText }, bySource) {
  const message = `error TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  const snippet = bySource.get(file?.fileName);
  if (snippet === undefined) return message;
  const { line, character } = file.getLineAndCharacterOfPosition(start ?? 0);
  return `${snippet.document}:${snippet.line + line}:${character + 1 + snippet.indent} - ${message}`;
}
