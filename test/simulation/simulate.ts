import { parseArgs } from 'node:util';
import { FleetSimulation, type Scenario } from './fleet-simulation.js';
import { reportTable } from './report-table.js';
import { SIZES } from './scenarios.js';

// Nobody reads the stacks of the hundred thousands of errors that an outage is made of.
Error.stackTraceLimit = 0;

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    medium: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const size = values.full ? 'full' : values.medium ? 'medium' : 'small';
const seed = Number(values.seed);
if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: must be a whole number`);

const nameOf = ({ processes, tenants, lock }: Scenario): string =>
  `${processes} processes x ${tenants} tenants, ${lock ? 'with' : 'without'} the lock`;

const scenarios: Scenario[] = SIZES[size]
  .flatMap((it) => [true, false].map((lock) => ({ ...it, seed, lock })))
  .filter((it) => values.only === undefined || nameOf(it).includes(values.only));
if (scenarios.length === 0) throw new Error(`--only ${values.only}: no scenario's name has that in it`);

for (const scenario of scenarios) {
  const startedAt = performance.now();
  const reports = await new FleetSimulation(scenario).run();
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`\n${nameOf(scenario)} (seed ${seed}, took ${seconds} s)\n${reportTable(reports)}`);
}
