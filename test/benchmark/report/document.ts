import { type Run } from '../run.js';
import { designsPart } from './parts/designs.js';
import { fleetPart, growthPart, renewalPart, stampedePart } from './parts/load.js';
import { readPathPart } from './parts/read-path.js';
import { TRAPS } from './parts/traps.js';
import { targetsOf } from './targets.js';
import { markdownTable } from './text-table.js';

/** docs/benchmarks.md: every figure in it comes from `run`. */
export function documentOf(run: Run): string {
  const { readPath, designs, day, stampede, renewal, growth, fleet } = run.details;
  return [
    head(run),
    readPath && readPathPart(readPath),
    designs && designsPart(designs, day),
    stampede && stampedePart(stampede),
    renewal && renewalPart(renewal),
    growth && growthPart(growth),
    fleet && fleetPart(fleet),
    TRAPS,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

function head(run: Run): string {
  const { measuredAt, machine, size, tookSeconds } = run;
  const { cpu, cores, memoryGiB, node, v8, platform, versions } = machine;
  const targets = targetsOf(run.details);
  const missed = targets.filter(({ isMet }) => !isMet);
  const rows = targets.map(({ what, target, measured, isMet }) => [
    what,
    target,
    measured,
    isMet ? 'yes' : '**no**',
  ]);
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const verdict =
    missed.length === 0 ? 'All are reached.' : `Not reached: ${missed.map(({ what }) => what).join('; ')}.`;
  return `# Benchmarks

In a clone of the repository, \`npm run bench\` measures these figures on your own machine in less than two minutes.
\`npm run bench -- --full\` measures them for publication and writes this page; do not edit it. \`--only fleet --write-docs\` measures one section again on the
same machine, and \`--render\` writes the page again from the published figures. Those are in \`docs/benchmarks/run.json\`;
\`npm run bench:compare -- <before.json> <after.json>\` prints which figures moved beyond the noise.

Measured on ${measuredAt}${size.name === 'quick' ? ' **at the quick size: a look, not figures to quote**' : ''}, in ${Math.max(1, Math.round(tookSeconds / 60))} min: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node} (V8 ${v8}).
${packages.join(', ')}.

Targets. ${verdict}

${markdownTable([['', 'target', 'measured', 'reached'], ...rows])}`;
}
