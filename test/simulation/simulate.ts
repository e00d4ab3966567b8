import { parseArgs } from 'node:util';
import { type Scenario } from './fleet-simulation.js';
import { reportTable } from './report-table.js';
import { SIZES, TIMELINES } from './scenarios.js';
import { simulateInThread } from './simulation-thread.js';

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

const startedAt = performance.now();
const seconds = (): number => Math.round((performance.now() - startedAt) / 1_000);
const runs = scenarios.map((scenario) =>
  simulateInThread(scenario, (phase) => console.error(`${seconds()} s  ${nameOf(scenario)}: ${phase}`)),
);
for (const [index, scenario] of scenarios.entries()) {
  const reports = (await runs[index]) ?? [];
  console.log(`\n${nameOf(scenario)}, ${timeline} (seed ${seed})\n${reportTable(reports)}`);
}
console.error(`${seconds()} s  done`);

function whole(name: string, text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} ${text}: must be a whole number above 0`);
}
