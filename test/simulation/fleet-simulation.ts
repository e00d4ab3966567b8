import { RedisRefreshLock } from '../../lib/redis/redis-refresh-lock.js';
import { PhaseLog, type PhaseName, type PhaseReport } from './phase-log.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedPlatform } from './simulated-platform.js';
import { SimulatedProcess, type ProcessSurroundings } from './simulated-process.js';
import { SimulatedRedis } from './simulated-redis.js';
import { VirtualTime } from './virtual-time.js';

const MINUTE = 60_000;
/** All processes of a deployment come up within so long. */
const START_WITHIN_MS = MINUTE;
const RESTART_WITHIN_MS = 30 * MINUTE;

export interface Scenario {
  readonly processes: number;
  readonly tenants: number;
  /** Whether they share the lock; without, each has the default one, which knows only its own process. */
  readonly lock: boolean;
  readonly seed: number;
  /** What happens one after the other. */
  readonly phases: readonly { readonly name: PhaseName; readonly minutes: number }[];
}

/** Runs the module's own code for a fleet of processes in virtual time. */
export class FleetSimulation {
  private readonly time = new VirtualTime();
  private readonly random: SeededRandom;
  private readonly log: PhaseLog;
  private readonly around: ProcessSurroundings;
  private readonly processes: SimulatedProcess[] = [];
  private isDown = false;

  constructor(private readonly scenario: Scenario) {
    const { time } = this;
    this.random = new SeededRandom(scenario.seed);
    this.log = new PhaseLog('cold start');
    const redis = new SimulatedRedis(time, this.random.fork(), this.log);
    const platform = new SimulatedPlatform(time, this.random.fork(), this.log, () => this.isDown);
    this.around = {
      time,
      log: this.log,
      tenants: scenario.tenants,
      options: (clock, random) => ({
        cache: redis.cache,
        fetch: platform.fetch,
        ...(scenario.lock && { lock: new RedisRefreshLock({ client: redis.client, clock, random }) }),
      }),
    };
  }

  /** @param onPhase told when each phase begins */
  async run(onPhase?: (name: PhaseName) => void): Promise<PhaseReport[]> {
    this.startAll();
    for (const { name, minutes } of this.scenario.phases) {
      onPhase?.(name);
      const report = this.log.begin(name);
      this.isDown = name === 'outage';
      if (name === 'restart') this.restartAll();
      await this.time.run(this.time.now + minutes * MINUTE);
      report.minutes += minutes;
      for (const process of this.processes) report.lateRenewals += process.takeLateRenewals();
    }
    return this.log.reports;
  }

  private startAll(): void {
    for (let index = 0; index < this.scenario.processes; index++) {
      const delayMs = index === 0 ? 0 : this.random.between(0, START_WITHIN_MS);
      const random = this.random.fork();
      this.time.after(delayMs, () => this.startAt(index, random));
    }
  }

  private restartAll(): void {
    const { processes } = this.scenario;
    for (let index = 0; index < processes; index++) {
      const random = this.random.fork();
      this.time.after((index / processes) * RESTART_WITHIN_MS, () => this.restartAt(index, random));
    }
  }

  private startAt(index: number, random: SeededRandom): void {
    const process = new SimulatedProcess(this.around, random);
    this.processes[index] = process;
    process.start({ ticket: index === 0 }).catch(rethrow);
  }

  private restartAt(index: number, random: SeededRandom): void {
    const old = this.processes[index] as SimulatedProcess;
    this.log.current.lateRenewals += old.takeLateRenewals();
    old
      .stop()
      .then(() => this.startAt(index, random))
      .catch(rethrow);
  }
}

/** A mistake of the simulation's own must not pass for a result. */
function rethrow(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
