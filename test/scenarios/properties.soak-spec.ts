/** The same properties, ten times as often; `FC_SEED=random` for other cases each time. */
process.env['FC_RUNS'] ??= '10';

// After the line above: the specs read the variable when they are loaded.
await import('./properties.spec.js');
await import('./races.spec.js');
