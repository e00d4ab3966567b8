import { endianness } from 'node:os';

// oxlint-disable-next-line typescript/unbound-method -- it knows no `this`
const { bigint: hrtime } = process.hrtime;

const nanoseconds = new BigInt64Array(1);
const halves = new Uint32Array(nanoseconds.buffer);
const [LOW, HIGH] = endianness() === 'LE' ? ([0, 1] as const) : ([1, 0] as const);

let origin = 0;

/**
 * The time of `performance.now()`, which puts 16 bytes on the heap for each answer; this puts nothing there.
 *
 * @internal
 */
export function monotonicMilliseconds(): number {
  // Through memory, and not by Number(): the compiled code then makes no bigint on the heap.
  nanoseconds[0] = hrtime();
  return ((halves[HIGH] as number) * 2 ** 32 + (halves[LOW] as number)) / 1e6 - origin;
}

origin = monotonicMilliseconds() - performance.now();
