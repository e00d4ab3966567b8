import v8 from 'node:v8';
import { Bench } from 'tinybench';
import { type ReadLoop } from './read-loop.js';

/** The mean, not the median: the garbage collector's pauses are part of what a read that allocates costs. */
export async function nanoseconds({ name, run, batch }: ReadLoop, timeMs: number): Promise<number> {
  globalThis.gc?.();
  const bench = new Bench({ time: timeMs, iterations: 8, warmup: false });
  bench.add(name, () => run(batch));
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error(`${name} could not be measured: ${result?.state}`);
  return (result.latency.mean * 1e6) / batch;
}

/** By how much the heap grows, with a young generation so large that nothing is collected meanwhile. */
export async function allocatedBytes({ run, batch }: ReadLoop): Promise<number> {
  const count = 5 * batch;
  globalThis.gc?.();
  const before = v8.getHeapStatistics().used_heap_size;
  await run(count);
  return Math.max(0, (v8.getHeapStatistics().used_heap_size - before) / count);
}
