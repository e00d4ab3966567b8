/** The defaults of the option `prewarm`. */
export const PREWARM_DEFAULTS = {
  intervalMs: 30_000,
  concurrency: 8,
  idleAfterMs: 7_200_000,
  onBootstrap: 'background',
} as const;
