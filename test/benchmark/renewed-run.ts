import { type Run } from './run.js';

/**
 * The run that was kept, with what `fresh` measured in the place of its own.
 *
 * @throws Error when they are of two sizes or machines: their figures do not belong on one page
 */
export function renewedRun(kept: Run, fresh: Run): Run {
  const [before, after] = [kept, fresh].map(conditionsOf);
  if (before !== after) throw new Error(`what is kept was measured at ${before}; this run at ${after}`);
  const renewed = new Set(fresh.metrics.map(({ id }) => id));
  return {
    ...kept,
    metrics: [...kept.metrics.filter(({ id }) => !renewed.has(id)), ...fresh.metrics],
    details: { ...kept.details, ...fresh.details },
  };
}

function conditionsOf({ size, machine: { cpu, cores, node } }: Run): string {
  return `the ${size.name} size on ${cpu}, ${cores} cores, Node ${node}`;
}
