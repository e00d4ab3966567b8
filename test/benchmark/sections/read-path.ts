import { TokenService } from 'nestjs-feishu-auth';
import { Platform } from '../load/platform.js';
import { type Metric } from '../metric.js';
import { floors } from '../micro/floors.js';
import { interceptorLoops } from '../micro/interceptor.js';
import { type ReadLoop } from '../micro/read-loop.js';
import { requestTimes } from '../micro/request-time.js';
import { measureInRounds, type MicroResult } from '../micro/rounds.js';
import { PEERS } from '../peers/index.js';
import { startModule, THIS_MODULE } from '../peers/this-module.js';
import { type PeerTokens } from '../peers/peer.js';
import { ratioOf, spreadOf, type Spread } from '../statistics.js';
import { type Section } from './section.js';

export interface ReadPath {
  readonly results: readonly MicroResult[];
  readonly ratios: {
    /** Ours over its floor: smaller is better. */
    readonly peekToFloor: Spread;
    readonly getToFloor: Spread;
    /** A peer's read over ours: how many times faster ours is, by the peer's id. */
    readonly peers: Readonly<Record<string, Spread>>;
  };
  /** What the interceptor adds, nanoseconds. */
  readonly interceptorNs: Spread;
  /** A request to a Nest application that does nothing, nanoseconds. */
  readonly requestNs: Spread;
}

const SYNC_BATCH = 20_000;
const ASYNC_BATCH = 4_000;
const SLOW_BATCH = 500;

/** The cost of a read of a token that is held: ours, what is physically possible, and what the peers take. */
export const readPath: Section<ReadPath> = async ({ micro }, onProgress) => {
  const platform = await Platform.start({ lifetimeSeconds: 7_200, latencyMs: 0, tenants: [] });
  const app = await startModule(platform.hosted);
  const open: PeerTokens[] = [];
  try {
    const loops = [...floors(SYNC_BATCH), ...handleLoops(app.get(TokenService))];
    for (const peer of [THIS_MODULE, ...PEERS]) {
      const tokens = await peer.build(platform.hosted);
      open.push(tokens);
      await tokens.readMany(1);
      const batch = peer === THIS_MODULE ? ASYNC_BATCH : SLOW_BATCH;
      loops.push({ id: peer.id, name: peer.name, batch, run: (count) => tokens.readMany(count) });
    }
    loops.push(...interceptorLoops(app, SYNC_BATCH / 10));
    await app.get(TokenService).getTenantAccessToken();
    const results = await measureInRounds(loops, micro, (round) =>
      onProgress(`read path: round ${round + 1} of ${micro.rounds}`),
    );
    onProgress('read path: a request over HTTP');
    const requestNs = spreadOf(await requestTimes(Math.min(micro.rounds, 9), micro.requests));
    return report(results, requestNs);
  } finally {
    await Promise.all(open.map((tokens) => tokens.close()));
    await app.close();
    await platform.stop();
  }
};

function handleLoops(tokens: TokenService): ReadLoop[] {
  const handle = tokens.handle({ kind: 'tenant' });
  return [
    {
      id: 'peek',
      name: 'handle.peek()',
      batch: SYNC_BATCH,
      run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += handle.peek()?.length ?? 0;
        return sum;
      },
    },
    {
      id: 'get',
      name: 'handle.get()',
      batch: ASYNC_BATCH,
      async run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await handle.get()).length;
        return sum;
      },
    },
  ];
}

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
      peekToFloor: ratioOf(ns('peek'), ns('floor-sync')),
      getToFloor: ratioOf(ns('get'), ns('floor-async')),
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
      less('read/peek/to-floor', 'x', details.ratios.peekToFloor),
      less('read/get/to-floor', 'x', details.ratios.getToFloor),
      less('read/interceptor/ns', 'ns', interceptorNs),
      ...Object.entries(details.ratios.peers).map(
        ([id, spread]): Metric => ({ id: `read/${id}/to-module`, unit: 'x', better: 'more', spread }),
      ),
    ],
  };
}
