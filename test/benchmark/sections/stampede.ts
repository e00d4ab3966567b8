import { type ColdAnswers, type PeerCalls } from '../load/peer-process.js';
import { Platform } from '../load/platform.js';
import { Helper } from '../load/rpc.js';
import { type Metric } from '../metric.js';
import { PEERS } from '../peers/index.js';
import { THIS_MODULE } from '../peers/this-module.js';
import { spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

const LATENCY_MS = 50;

export interface ColdCallers {
  readonly callers: number;
  readonly platformCalls: Spread;
  /** Until the last of them had a token. */
  readonly lastAnswerMs: Spread;
  /** Callers that got an error instead, in the worst round. */
  readonly failed: number;
}

export interface Stampede {
  readonly platformLatencyMs: number;
  readonly peers: readonly {
    readonly id: string;
    readonly name: string;
    readonly sizes: readonly ColdCallers[];
  }[];
}

interface Outcome extends ColdAnswers {
  readonly platformCalls: number;
}

/** Many callers at once, and no token yet: who asks the platform how often, and when the last one has it. */
export const stampede: Section<Stampede> = async ({ stampede: { rounds, callers } }, onProgress) => {
  const platform = await Platform.start({ lifetimeSeconds: 7_200, latencyMs: LATENCY_MS, tenants: [] });
  const script = new URL('../load/peer-process.js', import.meta.url);
  const all = [THIS_MODULE, ...PEERS].map(({ id, name }) => ({
    id,
    name,
    process: new Helper<PeerCalls>(script, ['--expose-gc']),
  }));
  const coldCallers = async ({ id, process }: (typeof all)[number], count: number): Promise<Outcome> => {
    await platform.tokenCalls();
    const answers = await process.call('cold', { id, platform: platform.hosted, callers: count });
    return { ...answers, platformCalls: await platform.tokenCalls() };
  };
  try {
    const outcomes = new Map<string, Outcome[]>();
    // Not counted: the first request of a process takes longer than all that follow.
    for (const peer of all) await coldCallers(peer, 1);
    for (let round = 0; round < rounds; round++) {
      for (const count of callers) {
        onProgress(`stampede: round ${round + 1} of ${rounds}, ${count} callers`);
        for (const peer of round % 2 === 0 ? all : all.toReversed()) {
          const key = `${peer.id}/${count}`;
          outcomes.set(key, [...(outcomes.get(key) ?? []), await coldCallers(peer, count)]);
        }
      }
    }
    const peers = all.map(({ id, name }) => ({
      id,
      name,
      sizes: callers.map((count) => figures(count, outcomes.get(`${id}/${count}`) ?? [])),
    }));
    return { details: { platformLatencyMs: LATENCY_MS, peers }, metrics: metricsOf(peers) };
  } finally {
    await Promise.all(all.map(({ process }) => process.stop()));
    await platform.stop();
  }
};

function figures(callers: number, outcomes: readonly Outcome[]): ColdCallers {
  return {
    callers,
    platformCalls: spreadOf(outcomes.map(({ platformCalls }) => platformCalls)),
    lastAnswerMs: spreadOf(outcomes.map(({ lastAnswerMs }) => lastAnswerMs)),
    failed: Math.max(...outcomes.map(({ failed }) => failed)),
  };
}

function metricsOf(peers: Stampede['peers']): Metric[] {
  return peers.flatMap(({ id, sizes }) =>
    sizes.flatMap(({ callers, platformCalls, lastAnswerMs }): Metric[] => [
      { id: `stampede/${id}/${callers}/calls`, unit: 'calls', better: 'less', spread: platformCalls },
      { id: `stampede/${id}/${callers}/last`, unit: 'ms', better: 'less', spread: lastAnswerMs },
    ]),
  );
}
