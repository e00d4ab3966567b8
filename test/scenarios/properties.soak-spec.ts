/** The same properties, many times more often and on other cases each time. */
process.env['FC_RUNS'] ??= '20';
process.env['FC_SEED'] ??= 'random';

// Only now: they read how often when they are loaded.
await import('./properties.spec.js');
await import('./races.spec.js');
