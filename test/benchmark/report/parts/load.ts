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

![Requests to Feishu by callers](benchmarks/calls-by-concurrency.svg)

A flat line is right: one request for any number of callers. A rising line sends one request for every caller.

The table shows requests to the emulator, and the time until the last caller had its token. The emulator takes ${platformLatencyMs} ms. The rest is the
callers' process and, with thousands of requests, the emulator.

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

${figure(readsPerSecond)} reads a second for ${figure(durationMs / 1_000)} s a round, each timed from the moment it was due: once with tokens that live ${lifetimeSeconds} s, once with
tokens that do not expire in that time. Both contain the machine: the garbage collector, the timer, other processes. The difference between them is
the cost of the renewals.

${markdownTable([head, row('tokens rotate', rotating), row('tokens stay', still)])}

**An outage of Feishu** from before the earliest renewal until half a minute before the token's end (${figure(outage.minutes)} minutes, ${figure(outage.reads)}
reads, on a clock that the benchmark moves): ${figure(outage.failedReads)} failed reads, ${figure(outage.attempts)} attempts to renew. The new token was there
${figure(outage.recoveredAfterMs / 1_000)} s after the end of the outage.`;
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
    'heap for each tenant, bytes',
    'first sweep, ms',
    'sweep, ms',
    'fetched/s',
  ];
  return `## 5. Growth

![Heap by tenants](benchmarks/heap-by-tenants.svg)

The bars are level: the cost of a tenant does not depend on the number of tenants. The dashed line is the target.

${markdownTable([head, ...rows])}

No structure that a read uses grows with the tenants. Memory access becomes slower: the reads visit all tenants in an order that the
processor's caches cannot predict. The floors have the same cost. The floor of \`peek()\` (with kept handles) is \`Map.get\` and \`Date.now\` with the same number of
entries. The floor of a read, \`getTenantAccessToken({ tenantKey })\`, adds the \`await\` of a kept promise.

The heap contains everything of a tenant whose token was renewed once and then read: key, token, windows, fingerprints of the previous
token, the record in the default store, and the entry in the list of tenants in use. Above 10,000 tenants \`maxTokens\` is raised.

No token is due in the sweeps. "First sweep" is the sweep after all these tenants came into use: it merges the list of tenants in use with
the one in the store and writes it. "Sweep" is a sweep that finds the list unchanged, as most do. With the default store a sweep occupies the event
loop for this time, and reads wait. "Fetched" is the number of tokens that a process receives in a second from an emulator that answers at once.

The module adds ${spreadText(startupMs)} ms to the start of a Nest application, and ${spreadText(fetchLoadMs)} ms once in a process to load Node's
\`fetch\`. Otherwise the first renewal would load it, while callers wait.`;
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
    'requests for each rotation',
  ];
  return `## 6. The fleet

Several processes on this machine share one redis-server as store and lock. All of them ask for a token at the same time and have none; then
they read it while it rotates. The emulator is ${platformLatencyMs} ms away.

${markdownTable([head, ...rows])}

"Each core busy" is the processor time of all processes until they had their token, divided by the number of cores. With more processes than cores
it is most of the wait. Processes on separate machines do not have it.

The fleet's lock costs ${figure(lock.roundTrips)} round trips to Redis, one to take it and one to give it back: ${spreadText(lock.ms)} ms,
${spreadText(lock.toBare)} times what a bare \`SET NX PX\` and \`DEL\` take.`;
}
