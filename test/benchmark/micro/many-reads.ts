import { quantile } from '../statistics.js';
import { type ReadLoop } from './read-loop.js';

const READS = 200_000;
const PASSES = 3;

/** In an order that no cache of the processor can foresee. */
export function shuffled<T>(values: readonly T[]): T[] {
  const STEP = 7_919; // a prime
  return values.map((_, i) => values[(i * STEP) % values.length] as T);
}

/** Nanoseconds a read: one loop after the other, several times over, so that the machine is the same to all of them. */
export async function nsPerRead<Name extends string>(
  loops: Readonly<Record<Name, ReadLoop['run']>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(loops) as Name[];
  const passes = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let pass = 0; pass < PASSES; pass++)
    for (const name of names) passes.get(name)?.push(await timed(loops[name]));
  const medians = names.map((name) => [name, quantile(passes.get(name) ?? [], 0.5)]);
  return Object.fromEntries(medians) as Record<Name, number>;
}

async function timed(run: ReadLoop['run']): Promise<number> {
  // Not counted: V8 compiles the loop, and the processor's caches forget the one before.
  await run(READS / 10);
  const begin = performance.now();
  await run(READS);
  return ((performance.now() - begin) * 1e6) / READS;
}
