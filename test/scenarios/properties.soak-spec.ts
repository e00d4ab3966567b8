/** The same properties, many times more often; `FC_SEED=random` for other cases each time. */
process.env['FC_RUNS'] ??= '10';

// Only now: they read how often when they are loaded.
await import('./properties.spec.js');
await import('./races.spec.js');
