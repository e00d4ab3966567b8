import { type Day } from '../../sections/day.js';
import { type DesignFigures, type Designs, type Throughput } from '../../sections/designs.js';
import { figure, milliseconds, percentChange, spreadText } from '../figures.js';
import { markdownTable } from '../text-table.js';

export function designsPart(designs: Designs, day: Day | undefined): string {
  const { tenants, platformLatencyMs, lifetimeSeconds, readsPerSecond, callers } = designs;
  return `## 2. The designs the project descends from

The plan that this project grew out of named three remedies for a manager behind one mutex, and predicted what each would
bring. Nobody had measured them. Here each is a small faithful implementation (\`test/benchmark/designs/\`) on the same
platform: the emulator in a process of its own, ${platformLatencyMs} ms away, ${tenants} tenants of a store app.

![The slowest read at each moment](benchmarks/latency-over-time.svg)

Tokens that live ${lifetimeSeconds} s; ${figure(readsPerSecond)} reads arrive each second whether or not the ones before are answered. Every hill is an
expiry: as high as the longest wait of a caller, as broad as the time in which callers waited. This module's line has no
hills, because it renews before the end.

${expiringTable(designs)}

Reads per second: ${callers} callers that read again as soon as they have their answer. Latencies: from the moment a read was
due, medians of the rounds. Waited: longer than 1 ms. Late: renewals that began when the token before could not be used any more.
This module asks the platform more often, because it does not use tokens to their end: of tokens that live a second it renews
when half is over, of tokens that live two hours when three quarters are.

### What the plan predicted, over (0)

${predictionTable(designs)}

Throughput as above; latency is the mean of all reads.

### Reads per second while tokens expire, by callers

${throughputTable(designs, ({ expiring }) => expiring.throughput)}

### Cold start: requests to the platform, and until the last caller had a token

${coldTable(designs)}

### Steady reads, nothing expires: reads per second

${throughputTable(designs, ({ steady }) => steady)}

Where nothing expires, a design is as fast as it does little at a read; what this module does there besides is in section 1.
${day ? dayPart(day) : ''}`;
}

function expiringTable({ designs }: Designs): string {
  const head = ['', 'reads/s', 'p50', 'p99', 'p99.9', 'max', 'requests', 'waited', 'late'];
  const rows = designs.map(({ name, expiring }) => {
    const { latency, p99, readsPerSecond, platformCalls, waited, lateRenewals } = expiring;
    return [
      name,
      spreadText(readsPerSecond),
      milliseconds(latency.p50),
      `${spreadText(p99)} ms`,
      milliseconds(latency.p999),
      milliseconds(latency.max),
      spreadText(platformCalls),
      spreadText(waited),
      spreadText(lateRenewals),
    ];
  });
  return markdownTable([head, ...rows]);
}

function predictionTable({ designs }: Designs): string {
  const signed = (percent: number): string => percentChange(1 + percent / 100);
  const rows = designs
    .filter(({ id }) => id !== 'mutex')
    .map(({ name, predicted, throughputToMutex, latencyToMutex }) => [
      name,
      predicted ? signed(predicted.throughput) : '',
      percentChange(throughputToMutex.median),
      predicted ? signed(predicted.latency) : '',
      percentChange(latencyToMutex.median),
    ]);
  const head = ['', 'throughput, predicted', 'measured', 'latency, predicted', 'measured'];
  return markdownTable([head, ...rows]);
}

function coldTable({ designs }: Designs): string {
  const callers = designs[0]?.cold.map((it) => it.callers) ?? [];
  const rows = designs.map(({ name, cold }) => [
    name,
    ...cold.map(
      ({ platformCalls, lastAnswerMs }) => `${spreadText(platformCalls)} in ${spreadText(lastAnswerMs)} ms`,
    ),
  ]);
  return markdownTable([['callers', ...callers.map(figure)], ...rows]);
}

function throughputTable(
  { designs }: Designs,
  pick: (design: DesignFigures) => readonly Throughput[],
): string {
  const callers = designs.slice(0, 1).flatMap((design) => pick(design).map((it) => it.callers));
  const rows = designs.map((design) => [
    design.name,
    ...pick(design).map(({ readsPerSecond }) => spreadText(readsPerSecond)),
  ]);
  return markdownTable([['callers', ...callers.map(figure)], ...rows]);
}

function dayPart({ stepMs, tenants, readers, designs }: Day): string {
  const head = ['', 'reads', 'p50', 'p99', 'p99.9', 'max', 'requests', 'waited', 'late'];
  const rows = designs.map(({ name, reads, latency, platformCalls, waited, lateRenewals }) => [
    name,
    figure(reads),
    ...[latency.p50, latency.p99, latency.p999, latency.max].map(milliseconds),
    figure(platformCalls),
    figure(waited),
    figure(lateRenewals),
  ]);
  return `
### A day of two-hour tokens, simulated

On a clock that only the benchmark moves, with the platform as a function in the process: nothing of the machine is in
these figures. ${tenants} tenants, ${readers} readers at once every ${figure(stepMs / 1_000)} s; the cold start is not counted.

${markdownTable([head, ...rows])}

The hourly look of (3) sees a token that has an hour left, and leaves it; the next look comes after its end. A check with a
15-minute threshold every hour is late by design.`;
}
