// Writes what the manual takes from the sources: the tables of options in docs/configuration.md.
// `--check` writes nothing, and fails if a table is out of date or an error code has no section in docs/errors.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { optionsTable } from './options-table.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const OPTIONS = 'lib/feishu-auth.options.ts';
const CONFIGURATION = 'docs/configuration.md';
const ERRORS = 'docs/errors.md';

const isCheck = process.argv.includes('--check');
const problems = [...(await configuration()), ...errors()];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

async function configuration() {
  const source = text(OPTIONS);
  const page = text(CONFIGURATION);
  const table = /(<!-- options:(\w+) -->).*?(<!-- \/options -->)/gs;
  const written = await formatted(
    CONFIGURATION,
    page.replaceAll(table, (_all, start, name, end) => `${start}\n\n${optionsTable(source, name)}\n\n${end}`),
  );
  if (written === page) return [];
  if (isCheck) return [`${CONFIGURATION} is not what ${OPTIONS} says: run npm run docs:reference`];
  writeFileSync(join(REPOSITORY, CONFIGURATION), written);
  console.log(`written: ${CONFIGURATION}`);
  return [];
}

/** Every code has a section of its own, and no section names a code that does not exist. */
function errors() {
  const [, union] =
    /export type FeishuAuthErrorCode =(.*?);/s.exec(text('lib/errors/feishu-auth.error.ts')) ?? [];
  const codes = new Set(union?.match(/ERR_FEISHU_\w+/g));
  const sections = new Set([...text(ERRORS).matchAll(/^## (ERR_FEISHU_\w+)$/gm)].map(([, code]) => code));
  return [
    ...[...codes]
      .filter((code) => !sections.has(code))
      .map((code) => `${ERRORS} has no section "## ${code}"`),
    ...[...sections].filter((code) => !codes.has(code)).map((code) => `${ERRORS}: there is no code ${code}`),
  ];
}

function text(path) {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

async function formatted(path, content) {
  const config = await resolveConfig(join(REPOSITORY, path));
  return format(content, { ...config, filepath: path });
}
