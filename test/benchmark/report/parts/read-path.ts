import { PEERS } from '../../peers/index.js';
import { type ReadPath } from '../../sections/read-path.js';
import { type Spread } from '../../statistics.js';
import { durationText, figure, spreadText, times } from '../figures.js';
import { markdownTable } from '../text-table.js';

export function readPathPart({ results, ratios, interceptorNs, requestNs }: ReadPath): string {
  const ratioText = (ratio: Spread | undefined): string => (ratio ? times(ratio.median) : '');
  const rows = results.map(({ id, name, nsPerRead, bytesPerRead }) => [
    name,
    spreadText(nsPerRead),
    figure(bytesPerRead.median < 0.5 ? 0 : bytesPerRead.median),
    ratioText(ratios.toFloor[id]),
    ratioText(ratios.peers[id]),
  ]);
  const share = (interceptorNs.median / requestNs.median) * 100;
  return `## 1. The read path

![Time of a read as a multiple of its floor](benchmarks/read-path.svg)

The dashed line is the floor: what the straightforward code costs that finds the entry, asks \`Date.now()\` whether it still
lives, and gives the token. Ours (blue) are next to it; every other bar is a peer's warm read, on a logarithmic scale. Ours
may be left of the line, each of the three: they ask the cheaper monotonic clock at every read and the wall clock once a
millisecond.

${markdownTable([['', 'ns a read', 'bytes a read', 'times its floor', 'ours is faster by'], ...rows])}

Median of the rounds, in brackets the middle half of them; ratios are taken round by round. "Ours is faster by" compares with
\`getTenantAccessToken()\`. The floor of \`peek()\` is the synchronous one, that of everything else the asynchronous one.

**The interceptor** adds ${durationText(interceptorNs)} to a handler. A request to a Nest application that does nothing takes
${durationText(requestNs)} over loopback, so its share is ${figure(share)} %.

What the peers do less, or otherwise, at a warm read:

${PEERS.map(({ name, difference }) => `- \`${name}\`: ${difference}.`).join('\n')}

Ours compares two clocks, so that neither a clock that was set back nor a machine that slept lets a dead token out, counts
every read, and stamps it for the eviction of the least recently read.`;
}
