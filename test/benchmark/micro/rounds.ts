import { type SubjectCalls } from '../load/subject-process.js';
import { type HostedPlatform } from '../load/platform.js';
import { Helper } from '../load/rpc.js';
import { spreadOf, type Spread } from '../statistics.js';

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

/** The young generation is so large that a measurement of what is allocated sees no collection. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

/**
 * One after the other, round after round, every second round backwards: whatever the machine does meanwhile, it does to
 * all of them. Each subject has a process of its own, where no other library slows it down: an AsyncLocalStorage that is
 * on, say, doubles the cost of everybody's await.
 */
export async function measureInRounds(
  subjects: readonly string[],
  platform: HostedPlatform,
  { rounds, timeMs }: MicroSize,
  onRound: (round: number) => void,
): Promise<MicroResult[]> {
  const helpers: Helper<SubjectCalls>[] = [];
  try {
    const loops: { id: string; name: string; helper: Helper<SubjectCalls>; ns: number[]; bytes: number[] }[] =
      [];
    for (const subject of subjects) {
      const helper = new Helper<SubjectCalls>(new URL('../load/subject-process.js', import.meta.url), FLAGS);
      helpers.push(helper);
      for (const loop of await helper.call('prepare', { subject, platform, timeMs }))
        loops.push({ ...loop, helper, ns: [], bytes: [] });
    }
    for (let round = 0; round < rounds; round++) {
      onRound(round);
      for (const { id, helper, ns, bytes } of round % 2 === 0 ? loops : loops.toReversed()) {
        ns.push(await helper.call('nanoseconds', { id, timeMs }));
        bytes.push(await helper.call('bytes', id));
      }
    }
    return loops.map(({ id, name, ns, bytes }) => ({
      id,
      name,
      nsPerRead: spreadOf(ns),
      bytesPerRead: spreadOf(bytes),
    }));
  } finally {
    await Promise.all(helpers.map((helper) => helper.stop()));
  }
}
