import { type RunComparison } from '../compare-runs.js';
import { type Machine } from '../machine.js';
import { figure, percentChange } from './figures.js';
import { textTable } from './text-table.js';

/** What moved, the largest move first; and what was compared at all. */
export function comparisonTable(
  { compared, onlyBefore, onlyAfter }: RunComparison,
  machines: readonly Machine[],
): string {
  const moved = compared
    .filter(({ verdict }) => verdict !== 'noise')
    .toSorted((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
  const rows = moved.map(({ id, unit, before, after, ratio, verdict }) => [
    id,
    `${figure(before)} ${unit}`,
    `${figure(after)} ${unit}`,
    Number.isFinite(ratio) ? percentChange(ratio) : 'from 0',
    verdict,
  ]);
  const lines = [
    ...warnings(machines),
    moved.length === 0
      ? `nothing moved beyond the noise: ${compared.length} figures compared`
      : textTable([['figure', 'before', 'after', 'change', ''], ...rows]),
  ];
  if (moved.length > 0) lines.push(`${moved.length} of ${compared.length} figures moved beyond the noise`);
  if (onlyBefore.length > 0) lines.push(`only before: ${onlyBefore.join(', ')}`);
  if (onlyAfter.length > 0) lines.push(`only after: ${onlyAfter.join(', ')}`);
  return lines.join('\n');
}

function warnings([before, after]: readonly Machine[]): string[] {
  if (!before || !after) return [];
  const [from, to] = [before, after].map(({ cpu, cores, node }) => `${cpu}, ${cores} cores, Node ${node}`);
  return from === to ? [] : [`not the same machine: before ${from}; after ${to}. Compare ratios only.`];
}
