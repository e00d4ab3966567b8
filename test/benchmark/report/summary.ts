import { type Run } from '../run.js';
import { spreadText } from './figures.js';
import { targetsOf } from './targets.js';
import { textTable } from './text-table.js';

/** What is said at the end of a run. */
export function summaryTable({ machine, metrics, details, size, tookSeconds }: Run): string {
  const figures = metrics.map(({ id, unit, spread }) => [id, spreadText(spread), unit]);
  const targets = targetsOf(details).map(({ what, target, measured, isMet }) => [
    what.replaceAll('`', ''),
    target,
    measured,
    isMet ? 'reached' : 'NOT REACHED',
  ]);
  const { cpu, cores, node } = machine;
  return [
    textTable([['figure', 'median (middle half of the rounds)', 'unit'], ...figures]),
    targets.length > 0 ? textTable([['', 'target', 'measured', ''], ...targets]) : undefined,
    `${size.name} size, ${tookSeconds} s, on ${cpu}, ${cores} cores, Node ${node}`,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}
