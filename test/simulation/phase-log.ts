export type PhaseName = 'cold start' | 'steady' | 'outage' | 'recovery' | 'restart';

/** What was counted while a phase lasted. */
export interface PhaseReport {
  readonly phase: PhaseName;
  minutes: number;
  /** Different tokens that the platform issued. */
  tokens: number;
  answeredCalls: number;
  refusedCalls: number;
  peakCallsPerSecond: number;
  /** Tokens in use that ran out before they were renewed, counted by each process for itself. */
  lateRenewals: number;
  reads: number;
  /** Those of them that waited at all, whatever came of it. */
  waited: number;
  /** Those of them that got no token, most at once: nobody waits for a platform that failed a moment ago. */
  failed: number;
  slowestReadMs: number;
  /** What the fleet sent to Redis for tokens, tenants and locks. */
  redisCommands: number;
}

/** Sums up a simulation by phase; phases of one name count as one. */
export class PhaseLog {
  current: PhaseReport;
  private readonly phases = new Map<PhaseName, PhaseReport>();
  private second = -1;
  private callsInSecond = 0;

  constructor(first: PhaseName) {
    this.current = this.begin(first);
  }

  get reports(): PhaseReport[] {
    return [...this.phases.values()];
  }

  begin(phase: PhaseName): PhaseReport {
    const zero = { tokens: 0, answeredCalls: 0, refusedCalls: 0, peakCallsPerSecond: 0, lateRenewals: 0 };
    this.current = this.phases.get(phase) ?? {
      phase,
      minutes: 0,
      ...zero,
      ...{ reads: 0, waited: 0, failed: 0, slowestReadMs: 0, redisCommands: 0 },
    };
    this.phases.set(phase, this.current);
    return this.current;
  }

  called(now: number): void {
    const second = Math.floor(now / 1_000);
    if (second !== this.second) this.callsInSecond = 0;
    this.second = second;
    const { current } = this;
    current.peakCallsPerSecond = Math.max(current.peakCallsPerSecond, ++this.callsInSecond);
  }
}
