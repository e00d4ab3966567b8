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

The dashed line is the floor: the cost of the simplest code that finds the entry, compares its end with \`Date.now()\` and returns the
token. This module's reads are blue. The other bars are warm reads of other packages, on a logarithmic scale. This module's reads
can be left of the line, because they read the cheaper monotonic clock every time and the wall clock once a millisecond.

${markdownTable([['', 'ns a read', 'bytes a read', 'times its floor', 'this module is faster by'], ...rows])}

Each figure is the median of the rounds, with the middle half of the rounds in brackets. Ratios are taken round by round. "This module is faster
by" compares with \`getTenantAccessToken()\`. The floor of \`peek()\` is the synchronous one; all others have the asynchronous one.

**The interceptor** adds ${durationText(interceptorNs)} to a handler. A request to a Nest application that does nothing takes
${durationText(requestNs)} over loopback, so its share is ${figure(share)} %.

What the other packages do less, or differently, at a warm read:

${PEERS.map(({ name, difference }) => `- \`${name}\`: ${difference}.`).join('\n')}

This module compares two clocks, so that it returns no expired token after a clock change or a sleep of the machine. It also counts every read,
and marks it for the eviction of the least recently read token.`;
}
