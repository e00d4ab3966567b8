import v8 from 'node:v8';
import { Bench } from 'tinybench';
import { spreadOf, type Spread } from '../statistics.js';
import { type ReadLoop } from './read-loop.js';

export interface MicroResult {
  readonly id: string;
  readonly name: string;
  readonly nsPerRead: Spread;
  readonly bytesPerRead: Spread;
}

export interface MicroSize {
  readonly rounds: number;
  /** How long each loop runs in each round, in milliseconds. */
  readonly timeMs: number;
}

/**
 * One after the other, round after round, every second round backwards: whatever the machine does meanwhile, it does to
 * all of them.
 */
export async function measureInRounds(
  loops: readonly ReadLoop[],
  { rounds, timeMs }: MicroSize,
  onRound: (round: number) => void,
): Promise<MicroResult[]> {
  const ns = new Map(loops.map(({ id }) => [id, [] as number[]]));
  const bytes = new Map(loops.map(({ id }) => [id, [] as number[]]));
  // Not counted: until V8 has compiled a loop, it measures the interpreter.
  for (const loop of loops) await nanoseconds(loop, timeMs);
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    for (const loop of round % 2 === 0 ? loops : loops.toReversed()) {
      ns.get(loop.id)?.push(await nanoseconds(loop, timeMs));
      bytes.get(loop.id)?.push(await allocated(loop));
    }
  }
  return loops.map(({ id, name }) => ({
    id,
    name,
    nsPerRead: spreadOf(ns.get(id) ?? []),
    bytesPerRead: spreadOf(bytes.get(id) ?? []),
  }));
}

/** The mean, not the median: the garbage collector's pauses are part of what a read that allocates costs. */
async function nanoseconds({ name, run, batch }: ReadLoop, timeMs: number): Promise<number> {
  globalThis.gc?.();
  const bench = new Bench({ time: timeMs, iterations: 8, warmup: false });
  bench.add(name, () => run(batch));
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error(`${name} could not be measured: ${result?.state}`);
  return (result.latency.mean * 1e6) / batch;
}

/** By how much the heap grows, with a young generation so large that nothing is collected meanwhile. */
async function allocated({ run, batch }: ReadLoop): Promise<number> {
  const count = 10 * batch;
  globalThis.gc?.();
  const before = v8.getHeapStatistics().used_heap_size;
  await run(count);
  return Math.max(0, (v8.getHeapStatistics().used_heap_size - before) / count);
}
