import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { REPOSITORY } from '../machine.js';
import { type Run } from '../run.js';
import { documentOf } from './document.js';
import { plotsOf } from './plots.js';

/** The run that docs/ was written from. */
export function publishedRun(): Run {
  return JSON.parse(readFileSync(join(REPOSITORY, 'docs', 'benchmarks', 'run.json'), 'utf8')) as Run;
}

/** Writes docs/benchmarks.md, its plots and the raw figures. */
export async function writeDocs(run: Run): Promise<void> {
  const page = join(REPOSITORY, 'docs', 'benchmarks.md');
  const folder = join(REPOSITORY, 'docs', 'benchmarks');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeFormatted(page, documentOf(run));
  await writeFormatted(join(folder, 'run.json'), JSON.stringify(run, rounded));
  for (const [name, svg] of Object.entries(await plotsOf(run.details)))
    writeFileSync(join(folder, name), svg);
}

/** As the rest of the repository, whose check it has to pass. */
async function writeFormatted(path: string, text: string): Promise<void> {
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}

/** Six digits say all there is to say, in a third of the space. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
