import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { optionsTable } from './options-table.mjs';

const OPTIONS = 'lib/feishu-auth.options.ts';
export const CONFIGURATION = 'docs/configuration.md';
const ERRORS = 'docs/errors.md';
const TABLE = /(<!-- options:(\w+) -->).*?(<!-- \/options -->)/gs;

/**
 * docs/configuration.md with its tables of options as the docstrings say.
 *
 * @param {string} repository
 * @returns {Promise<string>}
 */
export async function configurationPage(repository) {
  const sources = withImports(join(repository, OPTIONS));
  const path = join(repository, CONFIGURATION);
  const written = readFileSync(path, 'utf8').replaceAll(
    TABLE,
    (_all, start, name, end) => `${start}\n\n${optionsTable(sources, name)}\n\n${end}`,
  );
  return format(written, { ...(await resolveConfig(path)), filepath: path });
}

/** A source and the sources that it imports. */
function withImports(path) {
  const source = readFileSync(path, 'utf8');
  const imported = [...source.matchAll(/from '(\.[^']+)\.js'/g)].map(([, name]) =>
    readFileSync(join(dirname(path), `${name}.ts`), 'utf8'),
  );
  return [source, ...imported];
}

/**
 * Where the manual does not follow the sources: a table of options that is out of date, an error code without a section.
 *
 * @param {string} repository
 * @returns {Promise<string[]>}
 */
export async function referenceProblems(repository) {
  const isCurrent =
    (await configurationPage(repository)) === readFileSync(join(repository, CONFIGURATION), 'utf8');
  return [
    ...(isCurrent ? [] : [`${CONFIGURATION} is not what ${OPTIONS} says: run npm run docs:reference`]),
    ...errorProblems(repository),
  ];
}

function errorProblems(repository) {
  const source = readFileSync(join(repository, 'lib/errors/feishu-auth.error.ts'), 'utf8');
  const codes = new Set(source.match(/'ERR_FEISHU_\w+'/g)?.map((code) => code.slice(1, -1)));
  const page = readFileSync(join(repository, ERRORS), 'utf8');
  const sections = new Set([...page.matchAll(/^## (ERR_FEISHU_\w+)$/gm)].map(([, code]) => code));
  return [
    ...[...codes]
      .filter((code) => !sections.has(code))
      .map((code) => `${ERRORS} has no section "## ${code}"`),
    ...[...sections].filter((code) => !codes.has(code)).map((code) => `${ERRORS}: there is no code ${code}`),
  ];
}
