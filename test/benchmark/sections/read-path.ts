import { Platform } from '../load/platform.js';
import { type Metric } from '../metric.js';
import { requestTimes } from '../micro/request-time.js';
import { measureInRounds, type MicroResult } from '../micro/rounds.js';
import { SUBJECTS } from '../micro/subjects.js';
import { PEERS } from '../peers/index.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

export interface ReadPath {
  readonly results: readonly MicroResult[];
  readonly ratios: {
    /** A read over its floor, by id: smaller is better. `peek` has the synchronous floor, all others the asynchronous. */
    readonly toFloor: Readonly<Record<string, Spread>>;
    /** A peer's read over ours: how many times faster ours is, by the peer's id. */
    readonly peers: Readonly<Record<string, Spread>>;
  };
  /** What the interceptor adds, nanoseconds. */
  readonly interceptorNs: Spread;
  /** A request to a Nest application that does nothing, nanoseconds. */
  readonly requestNs: Spread;
}

/** The reads that have a floor: ours, then the peers'. */
const READS: readonly string[] = ['peek', 'get', 'module', ...PEERS.map(({ id }) => id)];

/** The cost of a read of a token that is held: ours, what the straightforward code costs, and what the peers take. */
export const readPath: Section<ReadPath> = async ({ micro }, onProgress) => {
  const platform = await Platform.start({ lifetimeSeconds: 7_200, latencyMs: 0, tenants: [] });
  try {
    const results = await measureInRounds(SUBJECTS, platform.hosted, micro, (round) =>
      onProgress(`read path: round ${round + 1} of ${micro.rounds}`),
    );
    onProgress('read path: a request over HTTP');
    return report(results, spreadOf(await requestTimes(Math.min(micro.rounds, 9), micro.requests)));
  } finally {
    await platform.stop();
  }
};

function report(
  results: readonly MicroResult[],
  requestNs: Spread,
): { metrics: Metric[]; details: ReadPath } {
  const ns = (id: string): Spread => {
    const found = results.find((result) => result.id === id);
    if (!found) throw new Error(`nothing was measured under ${id}`);
    return found.nsPerRead;
  };
  const [alone, intercepted] = [ns('handler-alone'), ns('handler-intercepted')];
  const interceptorNs = spreadOf(intercepted.rounds.map((time, i) => time - (alone.rounds[i] ?? 0)));
  const details: ReadPath = {
    results,
    ratios: {
      toFloor: Object.fromEntries(
        READS.map((id) => [id, ratioOf(ns(id), ns(id === 'peek' ? 'floor-sync' : 'floor-async'))]),
      ),
      peers: Object.fromEntries(PEERS.map(({ id }) => [id, ratioOf(ns(id), ns('module'))])),
    },
    interceptorNs,
    requestNs,
  };
  const less = (id: string, unit: string, spread: Spread): Metric => ({ id, unit, better: 'less', spread });
  return {
    details,
    metrics: [
      ...results.map(({ id, nsPerRead }) => less(`read/${id}/ns`, 'ns', nsPerRead)),
      ...results.map(({ id, bytesPerRead }) => less(`read/${id}/bytes`, 'bytes', bytesPerRead)),
      ...Object.entries(details.ratios.toFloor).map(([id, spread]) =>
        less(`read/${id}/to-floor`, 'x', spread),
      ),
      less('read/interceptor/ns', 'ns', interceptorNs),
      ...Object.entries(details.ratios.peers).map(([id, spread]): Metric => ({
        id: `read/${id}/to-module`,
        unit: 'x',
        better: 'more',
        spread,
      })),
    ],
  };
}
