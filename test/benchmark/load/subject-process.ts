import { allocatedBytes, nanoseconds } from '../micro/measure.js';
import { type ReadLoop } from '../micro/read-loop.js';
import { loopsOf } from '../micro/subjects.js';
import { type HostedPlatform } from './platform.js';
import { serve } from './rpc.js';

const loops = new Map<string, ReadLoop>();

function loopOf(id: string): ReadLoop {
  const loop = loops.get(id);
  if (!loop) throw new Error(`no such loop: ${id}`);
  return loop;
}

/** One of the things whose reads are timed, alone in its process. */
const calls = {
  async prepare({
    subject,
    platform,
    timeMs,
  }: {
    subject: string;
    platform: HostedPlatform;
    timeMs: number;
  }) {
    for (const loop of await loopsOf(subject, platform)) {
      loops.set(loop.id, loop);
      // Not counted: until V8 has compiled a loop, it measures the interpreter.
      await nanoseconds(loop, Math.max(timeMs, 100));
      await allocatedBytes(loop);
    }
    return [...loops.values()].map(({ id, name }) => ({ id, name }));
  },
  nanoseconds: ({ id, timeMs }: { id: string; timeMs: number }): Promise<number> =>
    nanoseconds(loopOf(id), timeMs),
  bytes: (id: string): Promise<number> => allocatedBytes(loopOf(id)),
};

export type SubjectCalls = typeof calls;

serve(calls);
