import { readFileSync } from 'node:fs';
import { compareRuns } from './compare-runs.js';
import { comparisonTable } from './report/comparison.js';
import { type Run } from './run.js';

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) {
  process.stderr.write('npm run bench:compare -- <before.json> <after.json>\n');
  process.exit(1);
}

const read = (path: string): Run => JSON.parse(readFileSync(path, 'utf8')) as Run;
const runs = [read(before), read(after)] as const;
console.log(
  comparisonTable(
    compareRuns(runs[0].metrics, runs[1].metrics),
    runs.map(({ machine }) => machine),
  ),
);
