import { Helper } from './load/rpc.js';
import { machine, type Machine } from './machine.js';
import { type Metric, type SectionResult } from './metric.js';
import { type SectionCalls } from './section-process.js';
import { type AllDetails, type SectionName, SECTIONS } from './sections/index.js';
import { type Size } from './sizes.js';

/** All that a run found; kept as JSON. */
export interface Run {
  readonly measuredAt: string;
  readonly size: Size;
  readonly machine: Machine;
  readonly tookSeconds: number;
  readonly metrics: readonly Metric[];
  readonly details: Partial<AllDetails>;
}

const FLAGS = ['--expose-gc'];

/** Runs the sections, each in a process of its own: what one leaves in the heap and the compiler is not the next one's. */
export async function runSections(
  size: Size,
  only: readonly SectionName[],
  onProgress: (text: string) => void,
): Promise<Run> {
  const start = performance.now();
  const metrics: Metric[] = [];
  const details: Partial<Record<SectionName, unknown>> = {};
  const names = (Object.keys(SECTIONS) as SectionName[]).filter(
    (name) => only.length === 0 || only.includes(name),
  );
  for (const name of names) {
    const script = new URL('section-process.js', import.meta.url);
    const section = new Helper<SectionCalls>(script, FLAGS, onProgress);
    try {
      const result: SectionResult = await section.call('run', { name, size });
      metrics.push(...result.metrics);
      details[name] = result.details;
    } finally {
      await section.stop();
    }
  }
  return {
    measuredAt: new Date().toISOString().slice(0, 10),
    size,
    machine: machine(),
    tookSeconds: Math.round((performance.now() - start) / 1_000),
    metrics,
    details: details as Partial<AllDetails>,
  };
}
