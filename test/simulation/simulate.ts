import { parseArgs } from 'node:util';
import { FleetSimulation, type Scenario } from './fleet-simulation.js';
import { reportTable } from './report-table.js';
import { SIZES, TIMELINES } from './scenarios.js';

// Nobody reads the stacks of the hundred thousands of errors that an outage is made of.
Error.stackTraceLimit = 0;

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    processes: { type: 'string' },
    tenants: { type: 'string' },
    timeline: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const own = values.processes !== undefined || values.tenants !== undefined;
const timeline = values.timeline ?? (values.full || own ? 'day' : 'six-hours');
const phases = Object.entries(TIMELINES).find(([name]) => name === timeline)?.[1];
if (!phases) throw new Error(`--timeline ${timeline}: must be one of ${Object.keys(TIMELINES).join(', ')}`);
const seed = whole('seed', values.seed);
const sizes = own
  ? [{ processes: whole('processes', values.processes), tenants: whole('tenants', values.tenants) }]
  : SIZES[values.full ? 'full' : 'small'];

const nameOf = ({ processes, tenants, lock }: Scenario): string =>
  `${processes} processes x ${tenants} tenants, ${lock ? 'with' : 'without'} the lock`;

const scenarios: Scenario[] = sizes
  .flatMap((it) => [true, false].map((lock) => ({ ...it, seed, lock, phases })))
  .filter((it) => values.only === undefined || nameOf(it).includes(values.only));
if (scenarios.length === 0) throw new Error(`--only ${values.only}: no scenario's name has that in it`);

for (const scenario of scenarios) {
  const startedAt = performance.now();
  const reports = await new FleetSimulation(scenario).run();
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(
    `\n${nameOf(scenario)}, ${timeline} (seed ${seed}, took ${seconds} s)\n${reportTable(reports)}`,
  );
}

function whole(name: string, text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} ${text}: must be a whole number above 0`);
}
