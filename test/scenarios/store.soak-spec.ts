/** The same scenarios with the crowd in full. */
process.env['CROWD'] ??= '50000';

// Only now: it is read when the module is loaded.
await import('./store.spec.js');
