import { type Day } from '../../sections/day.js';
import { type DesignFigures, type Designs, type Throughput } from '../../sections/designs.js';
import { figure, milliseconds, percentChange, spreadText } from '../figures.js';
import { markdownTable } from '../text-table.js';

export function designsPart(designs: Designs, day: Day | undefined): string {
  const { tenants, platformLatencyMs, lifetimeSeconds, readsPerSecond, callers } = designs;
  return `## 2. The designs the project descends from

The plan that this project grew out of named three remedies for a manager behind one mutex and predicted the effect of each, without
measurements. Here each is a small, faithful implementation (\`test/benchmark/designs/\`) in front of the same emulator. The emulator runs in a
separate process, ${platformLatencyMs} ms away, with ${tenants} tenants of a store app.

![The slowest read at each moment](benchmarks/latency-over-time.svg)

Tokens live ${lifetimeSeconds} s. ${figure(readsPerSecond)} reads arrive each second, whether or not earlier reads are answered. Each hill is an
expiry: its height is the longest wait of a caller, its width the time in which callers waited. This module's line has no
hills, because it renews before the end.

${expiringTable(designs)}

Reads per second: ${callers} callers that read again as soon as they have their answer. Latencies: from the moment a read was
due, medians of the rounds. Waited: longer than 1 ms. Late: renewals that began after the previous token had expired.
This module sends more requests, because it does not use tokens to their end: it renews a token of one second after half of its life, and a token of
two hours after three quarters.

### Predictions of the plan, compared with (0)

${predictionTable(designs)}

Throughput as above. Latency is the mean of all reads.

### Reads per second while tokens expire, by callers

${throughputTable(designs, ({ expiring }) => expiring.throughput)}

### Cold start: requests to Feishu, and the time until the last caller had a token

${coldTable(designs)}

### Steady reads, nothing expires: reads per second

${throughputTable(designs, ({ steady }) => steady)}

If no token expires, a design that does less at a read is faster. Section 1 says what this module does in addition.
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

The benchmark moves the clock, and Feishu is a function in the process, so these figures do not depend on the machine. ${tenants} tenants,
${readers} readers at once every ${figure(stepMs / 1_000)} s. The cold start is not counted.

${markdownTable([head, ...rows])}

The hourly check of (3) finds a token with an hour left and leaves it. The next check comes after its end. An hourly check with a
15-minute threshold is late by design.`;
}
