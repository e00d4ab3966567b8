/** Reads `count` times; what it returns depends on every read, so that none can be left out by the compiler. */
export interface ReadLoop {
  readonly id: string;
  readonly name: string;
  readonly run: (count: number) => number | Promise<number>;
  /** Reads in one go: enough that the clock around them does not matter. */
  readonly batch: number;
}

export const SYNC_BATCH = 20_000;
export const ASYNC_BATCH = 4_000;
