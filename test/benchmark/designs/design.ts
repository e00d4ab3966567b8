/** One way to hold the tokens of many tenants, as the project's ancestors proposed it, or as this module does it. */
export interface TokenDesign {
  get(tenantKey: string): Promise<string>;
  /** Renewals that began when the token before could not be used any more, so that somebody waited. */
  lateRenewals(): number;
  close(): Promise<void>;
}

/** What a design needs to be built. */
export interface DesignSetup {
  readonly domain: { readonly open: string; readonly accounts: string };
  readonly ticket: string;
  readonly clock: DesignClock;
  readonly fetch: typeof globalThis.fetch;
  /** How long the platform's tokens live: the times of the ancestors are shortened in proportion where it is not 2 h. */
  readonly lifetimeMs: number;
}

/** The part of the module's clock that the designs use: the machine's, or one that a test moves. */
export interface DesignClock {
  now(): number;
  setInterval(callback: () => void, periodMs: number): { cancel(): void };
}

export interface DesignEntry {
  readonly id: string;
  readonly name: string;
  /** What the plan promised over (0), in percent. */
  readonly predicted?: { readonly throughput: number; readonly latency: number };
  readonly build: (setup: DesignSetup) => Promise<TokenDesign>;
}
