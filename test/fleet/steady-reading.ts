import { setTimeout as pause } from 'node:timers/promises';
import { type Fleet, TENANT_TOKEN } from './fleet.js';
import { type RejectedUse } from './rejected-use.js';

export interface SteadyReading {
  reads: number;
  slowestMs: number;
  /** Reads that had to wait for a renewal. */
  waited: number;
  failures: string[];
  /** API calls with a token just read. */
  checks: number;
  rejected: RejectedUse[];
  /** Rejected because the machine stood still for longer than the token, good when it was read, had to live. */
  stalled: RejectedUse[];
  /** Requests for a token, and how many renewals they were for. */
  calls: number;
  rotations: number;
}

/** All processes of a fleet that holds a token read it steadily for a while, and use it. */
export async function readSteadily(fleet: Fleet, forMs: number, lifeMs: number): Promise<SteadyReading> {
  const { processes, emulator } = fleet;
  const waitsBefore = await sumOfWaits(fleet);
  const callsBefore = fleet.platformCalls;
  await Promise.all(processes.map((process) => process.call('startReading', 25, 250)));
  await pause(forMs);
  const totals = await Promise.all(processes.map((process) => process.call('stopReading')));

  const at = emulator.requestsTo(TENANT_TOKEN).map((request) => request.at);
  const renewals = at.slice(callsBefore);
  // Renewal begins at half of a life at the earliest: what comes sooner is another call of the same rotation.
  const isFirst = (it: number, index: number): boolean =>
    it - (at[callsBefore + index - 1] ?? 0) > 0.4 * lifeMs;
  const sum = (of: 'reads' | 'checks'): number => totals.reduce((total, it) => total + it[of], 0);
  return {
    reads: sum('reads'),
    slowestMs: Math.max(...totals.map((it) => it.slowestMs)),
    waited: (await sumOfWaits(fleet)) - waitsBefore,
    failures: totals.flatMap(({ failures }) => failures),
    checks: sum('checks'),
    rejected: totals.flatMap(({ rejected }) => rejected),
    stalled: totals.flatMap(({ stalled }) => stalled),
    calls: renewals.length,
    rotations: renewals.filter(isFirst).length,
  };
}

export function describeReading(forMs: number, lifeMs: number, it: SteadyReading): string {
  return (
    `${forMs / 1_000} s of ${lifeMs / 1_000} s tokens: ${it.reads} reads, the slowest ${it.slowestMs.toFixed(1)} ms, ` +
    `${it.waited} waited, ${it.failures.length} failed; ${it.calls} platform calls in ${it.rotations} rotations; ` +
    `${it.checks} API calls, ${it.rejected.length} tokens rejected` +
    (it.stalled.length > 0
      ? `; ${it.stalled.length} calls came after the end of a token with ${leftOf(it)}`
      : '')
  );
}

function leftOf({ stalled }: SteadyReading): string {
  const left = stalled.map(({ leftMs }) => Math.round(leftMs));
  const took = stalled.map(({ tookMs }) => Math.round(tookMs));
  return `${Math.min(...left)} to ${Math.max(...left)} ms left: they took ${Math.min(...took)} to ${Math.max(...took)} ms`;
}

async function sumOfWaits({ processes }: Fleet): Promise<number> {
  const all = await Promise.all(processes.map((process) => process.call('metrics')));
  return all.reduce((sum, { kinds }) => sum + kinds.tenant.waits, 0);
}
