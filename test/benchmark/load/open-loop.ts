/** One read: when it was due, counted from the start, and how long after that it was answered. Milliseconds. */
export interface TimedRead {
  readonly dueAt: number;
  readonly latencyMs: number;
}

export interface OpenLoop {
  readonly durationMs: number;
  readonly readsPerMs: number;
  /** Resolves when the token is there. */
  readonly read: (index: number) => Promise<unknown>;
}

/**
 * Reads that arrive at their times whether or not the ones before are answered, each timed from when it was due: a
 * caller that waited before it asked would leave out exactly the slow ones.
 */
export async function openLoop({ durationMs, readsPerMs, read }: OpenLoop): Promise<TimedRead[]> {
  const done: TimedRead[] = [];
  const pending = new Set<Promise<unknown>>();
  const total = Math.floor(durationMs * readsPerMs);
  const start = performance.now();
  for (let index = 0; index < total;) {
    const due = Math.min(total, Math.floor((performance.now() - start) * readsPerMs));
    for (; index < due; index++) {
      const dueAt = index / readsPerMs;
      const answered = read(index).then(() =>
        done.push({ dueAt, latencyMs: performance.now() - start - dueAt }),
      );
      pending.add(answered);
      void answered.finally(() => pending.delete(answered)).catch(() => undefined);
    }
    // A timer would be a millisecond late; and without a turn of the loop no answer could arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
  return done;
}

/** Callers that each read again as soon as they have their answer; how many reads a second that makes. */
export async function closedLoop(
  callers: number,
  durationMs: number,
  read: (caller: number) => Promise<unknown>,
): Promise<number> {
  const READS_A_TURN = 50;
  const start = performance.now();
  let reads = 0;
  const call = async (caller: number): Promise<void> => {
    while (performance.now() - start < durationMs) {
      for (let i = 0; i < READS_A_TURN; i++) {
        await read(caller + i);
        reads++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return (reads * 1_000) / (performance.now() - start);
}
