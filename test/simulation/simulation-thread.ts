import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { FleetSimulation, type Scenario } from './fleet-simulation.js';
import { type PhaseName, type PhaseReport } from './phase-log.js';

/** A day of a large fleet takes a core a good while. */
const LIMITS = { maxOldGenerationSizeMb: 8_192, maxYoungGenerationSizeMb: 256 };

/** Simulates in a thread of its own, so that several scenarios have several cores. */
export async function simulateInThread(
  scenario: Scenario,
  onPhase: (name: PhaseName) => void,
): Promise<PhaseReport[]> {
  const thread = new Worker(new URL(import.meta.url), { workerData: scenario, resourceLimits: LIMITS });
  return new Promise((resolve, reject) => {
    thread.on('message', (told: PhaseName | PhaseReport[]) => {
      if (typeof told === 'string') onPhase(told);
      else resolve(told);
    });
    thread.on('error', reject);
    thread.on('exit', () => reject(new Error('the simulation ended without a report')));
  });
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  const say = (told: PhaseName | PhaseReport[]): void => port.postMessage(told);
  // Nobody reads the stacks of the hundred thousands of errors that an outage is made of.
  Error.stackTraceLimit = 0;
  say(await new FleetSimulation(workerData as Scenario).run(say));
}
