/** How much is measured: `quick` in under two minutes, `full` for figures to publish. */
export interface Size {
  readonly name: 'quick' | 'full';
  readonly micro: { readonly rounds: number; readonly timeMs: number; readonly requests: number };
  readonly designs: {
    readonly rounds: number;
    readonly callers: readonly number[];
    readonly steadyMs: number;
    readonly expiringMs: number;
    /** For each number of callers, while tokens of a second expire: long enough to see one end. */
    readonly closedMs: number;
    readonly dayStepMs: number;
  };
  readonly stampede: { readonly rounds: number; readonly callers: readonly number[] };
  readonly renewal: {
    readonly rounds: number;
    readonly durationMs: number;
    readonly lifetimeSeconds: number;
  };
  readonly growth: { readonly rounds: number; readonly tenants: readonly number[] };
  readonly fleet: {
    readonly rounds: number;
    readonly processes: readonly number[];
    readonly rotatingMs: number;
  };
}

/** With most of it measured once: two minutes go to as many kinds of figures as they can. */
export const QUICK: Size = {
  name: 'quick',
  micro: { rounds: 4, timeMs: 60, requests: 400 },
  designs: {
    rounds: 1,
    callers: [1, 100, 1_000],
    steadyMs: 100,
    expiringMs: 1_200,
    closedMs: 1_000,
    dayStepMs: 60_000,
  },
  stampede: { rounds: 1, callers: [1, 10, 100, 1_000] },
  renewal: { rounds: 1, durationMs: 2_400, lifetimeSeconds: 2 },
  growth: { rounds: 1, tenants: [1, 100, 10_000] },
  fleet: { rounds: 1, processes: [1, 4], rotatingMs: 4_500 },
};

/** About 18 minutes on two cores, a third of them for the designs, a quarter for 100,000 tenants. */
export const FULL: Size = {
  name: 'full',
  micro: { rounds: 20, timeMs: 250, requests: 3_000 },
  designs: {
    rounds: 4,
    callers: [1, 10, 100, 1_000],
    steadyMs: 500,
    expiringMs: 3_000,
    closedMs: 2_000,
    dayStepMs: 10_000,
  },
  stampede: { rounds: 3, callers: [1, 10, 100, 1_000, 10_000] },
  renewal: { rounds: 5, durationMs: 8_000, lifetimeSeconds: 4 },
  growth: { rounds: 3, tenants: [1, 100, 1_000, 10_000, 100_000] },
  fleet: { rounds: 5, processes: [1, 5, 20], rotatingMs: 8_000 },
};

/** For the developer of the benchmark: everything once, and nothing that means anything. */
export const TINY: Size = {
  name: 'quick',
  micro: { rounds: 2, timeMs: 10, requests: 50 },
  designs: {
    rounds: 1,
    callers: [1, 100],
    steadyMs: 20,
    expiringMs: 1_200,
    closedMs: 400,
    dayStepMs: 600_000,
  },
  stampede: { rounds: 1, callers: [1, 50] },
  renewal: { rounds: 1, durationMs: 1_500, lifetimeSeconds: 2 },
  growth: { rounds: 1, tenants: [1, 1_000] },
  fleet: { rounds: 1, processes: [1, 2], rotatingMs: 4_000 },
};
