import { type Growth } from '../../sections/growth.js';
import { type Fleet } from '../../sections/fleet.js';
import { type Renewal, type Traffic } from '../../sections/renewal.js';
import { type Stampede } from '../../sections/stampede.js';
import { figure, spreadText, times } from '../figures.js';
import { markdownTable } from '../text-table.js';

export function stampedePart({ platformLatencyMs, peers }: Stampede): string {
  const callers = peers[0]?.sizes.map((it) => it.callers) ?? [];
  const rows = peers.map(({ name, sizes }) => [
    name,
    ...sizes.map(({ platformCalls, lastAnswerMs, failed }) => {
      const failures = failed > 0 ? `, ${figure(failed)} failed` : '';
      return `${spreadText(platformCalls)} in ${spreadText(lastAnswerMs)} ms${failures}`;
    }),
  ]);
  return `## 3. Stampede

![Requests to the platform by callers](benchmarks/calls-by-concurrency.svg)

Flat is right: one request, however many callers want the token at once. A line that climbs asks the platform once for
every caller.

Requests to the platform, and the time until the last caller had its token. The platform takes ${platformLatencyMs} ms; the rest is the callers'
process and, where there are thousands of requests, the platform's.

${markdownTable([['callers', ...callers.map(figure)], ...rows])}`;
}

export function renewalPart(renewal: Renewal): string {
  const { durationMs, lifetimeSeconds, readsPerSecond, rotating, still, outage } = renewal;
  const row = (name: string, { slow, latency, rotations, waits }: Traffic): string[] => [
    name,
    spreadText(rotations),
    spreadText(slow),
    `${figure(latency.p50)} ms`,
    `${figure(latency.p999)} ms`,
    `${figure(latency.max)} ms`,
    figure(waits),
  ];
  const head = ['', 'renewals', 'reads over 1 ms', 'p50', 'p99.9', 'max', 'waited for a renewal'];
  return `## 4. Renewal under load

${figure(readsPerSecond)} reads a second for ${figure(durationMs / 1_000)} s a round, each timed from when it was due, with tokens that live ${lifetimeSeconds} s; and the same
with tokens that do not expire meanwhile. What both have in common is the machine: the garbage collector, the timer, the
neighbours. Only the difference is the renewals'.

${markdownTable([head, row('tokens rotate', rotating), row('tokens stay', still)])}

**An outage of the platform** from before the earliest renewal until half a minute before the token's end (${figure(outage.minutes)} minutes, ${figure(outage.reads)}
reads, on a clock that only the benchmark moves): ${figure(outage.failedReads)} failed reads, ${figure(outage.attempts)} attempts to renew. The new token was there
${figure(outage.recoveredAfterMs / 1_000)} s after the platform's return.`;
}

export function growthPart({ points, startupMs, fetchLoadMs }: Growth): string {
  const rows = points.map((point) => [
    figure(point.tenants),
    spreadText(point.readNs),
    spreadText(point.asyncFloorNs),
    times(point.readToFloor.median),
    spreadText(point.peekNs),
    spreadText(point.syncFloorNs),
    times(point.peekToFloor.median),
    point.heapBytesPerTenant ? spreadText(point.heapBytesPerTenant) : '',
    spreadText(point.firstSweepMs),
    spreadText(point.sweepMs),
    point.tenants >= 100 ? figure(point.fetchedPerSecond.median) : '',
  ]);
  const head = [
    'tenants',
    'read, ns',
    'its floor, ns',
    'read over floor',
    'peek, ns',
    'its floor, ns',
    'peek over floor',
    'heap a tenant, bytes',
    'first sweep, ms',
    'sweep, ms',
    'fetched/s',
  ];
  return `## 5. Growth

![Heap by tenants](benchmarks/heap-by-tenants.svg)

The bars are level: what a tenant costs does not depend on how many there are. The dashed line is the bound that was set.

${markdownTable([head, ...rows])}

No structure that a read touches grows with the tenants. What grows is the distance to the memory: reads go through all
tenants in an order that the processor's caches cannot foresee, and the floors beside them pay for that too: \`Map.get\` and
\`Date.now\` among as many entries for \`peek()\`, whose handles are kept, and the same with \`await\` of a kept promise for a
read, which is \`getTenantAccessToken({ tenantKey })\`.

The heap holds everything of a tenant whose token was renewed once, and read since: key, token, windows, what is
remembered of the token before, the record in the default store, and its place in the list of tenants in use. Beyond 10,000
tenants \`maxTokens\` is raised.

No token is due at the sweeps. "First sweep" is the one after all these tenants came into use: it merges the list of tenants
in use with the store's and writes it. "Sweep" is one that finds the list as it was, as most do. With the default store a
sweep keeps the event loop for as long as it takes, and whoever reads meanwhile waits. "Fetched" is how many tokens a second
a process takes in from a platform that answers at once.

The module adds ${spreadText(startupMs)} ms to the start of a Nest application, and ${spreadText(fetchLoadMs)} ms once a process for Node's
\`fetch\`, which would else be loaded by the first renewal, while callers are served.`;
}

export function fleetPart(fleet: Fleet): string {
  if ('skipped' in fleet) return `## 6. The fleet\n\nNot measured: ${fleet.skipped}.`;
  const { platformLatencyMs, points, lock } = fleet;
  const rows = points.map((point) => [
    figure(point.processes),
    spreadText(point.coldCalls),
    spreadText(point.coldMedianMs),
    spreadText(point.coldLastMs),
    spreadText(point.coldCpuMs),
    spreadText(point.callsPerRotation),
  ]);
  const head = [
    'processes',
    'requests, cold',
    'token after, ms: the median process',
    'the last one',
    'each core busy, ms',
    'requests a rotation',
  ];
  return `## 6. The fleet

Processes on this one machine, with one redis-server for store and lock, that all want a token at once and have none; then
read for a while as it rotates. The platform is ${platformLatencyMs} ms away.

${markdownTable([head, ...rows])}

"Each core busy" is the time on a processor that all of them needed till they had their token, divided by the cores there are: with
more processes than cores it is most of the wait, and on machines of their own they would not have it.

The fleet's lock costs ${figure(lock.roundTrips)} round trips to Redis, one to take it and one to give it back: ${spreadText(lock.ms)} ms,
${spreadText(lock.toBare)} times what a bare \`SET NX PX\` and \`DEL\` take.`;
}
