import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { REPOSITORY } from '../machine.js';
import { type Run } from '../run.js';
import { documentOf } from './document.js';
import { plotsOf } from './plots.js';
import { readmeSection } from './readme-section.js';

/** The run whose figures are published in docs/. */
export function publishedRun(): Run {
  return JSON.parse(readFileSync(join(REPOSITORY, 'docs', 'benchmarks', 'run.json'), 'utf8')) as Run;
}

/** Writes docs/benchmarks.md, its plots and the raw figures, and the README's section. */
export async function writeDocs(run: Run): Promise<void> {
  const page = join(REPOSITORY, 'docs', 'benchmarks.md');
  const folder = join(REPOSITORY, 'docs', 'benchmarks');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeFormatted(page, documentOf(run));
  await writeFormatted(join(folder, 'run.json'), JSON.stringify(run, rounded));
  for (const [name, svg] of Object.entries(await plotsOf(run.details)))
    writeFileSync(join(folder, name), svg);
  await writeReadme(run);
}

async function writeReadme(run: Run): Promise<void> {
  const path = join(REPOSITORY, 'README.md');
  const text = readFileSync(path, 'utf8');
  const section = /(<!-- measured -->).*(<!-- \/measured -->)/s;
  if (!section.test(text))
    throw new Error('README.md has no <!-- measured --> ... <!-- /measured --> section');
  await writeFormatted(
    path,
    text.replace(section, (_all, start: string, end: string) => `${start}\n\n${readmeSection(run)}\n${end}`),
  );
}

/** Formatted like the rest of the repository, so that the format check passes. */
async function writeFormatted(path: string, text: string): Promise<void> {
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}

/** Six digits are precise enough, in a third of the space. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
