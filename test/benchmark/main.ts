import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELP, parseCommand } from './command-line.js';
import { REPOSITORY } from './machine.js';
import { runSections } from './run.js';
import { SECTIONS } from './sections/index.js';
import { FULL, QUICK, TINY } from './sizes.js';
import { renewedRun } from './renewed-run.js';
import { publishedRun, writeDocs } from './report/docs.js';
import { summaryTable } from './report/summary.js';

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit();
}

const command = parseCommand(process.argv.slice(2), Object.keys(SECTIONS));
if (command.rendersOnly) {
  await writeDocs(publishedRun());
  process.exit();
}
const size = { quick: QUICK, full: FULL, tiny: TINY }[command.size];

const start = performance.now();
function say(text: string): void {
  const seconds = String(Math.round((performance.now() - start) / 1_000)).padStart(4);
  const line = `${seconds} s  ${text}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line.slice(0, process.stderr.columns - 1)}`);
  else process.stderr.write(`${line}\n`);
}

const run = await runSections(size, command.only, say);
if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');

console.log(summaryTable(run));
const raw = join(REPOSITORY, '.build', 'benchmarks', `${size.name}.json`);
mkdirSync(join(raw, '..'), { recursive: true });
writeFileSync(raw, JSON.stringify(run));
console.log(`\nraw figures: .build/benchmarks/${size.name}.json`);
if (!command.keepDocs) {
  const published = command.only.length === 0 ? run : renewedRun(publishedRun(), run);
  await writeDocs(published);
  console.log(
    "written: docs/benchmarks.md, its plots and raw figures in docs/benchmarks/, and the README's section",
  );
}
