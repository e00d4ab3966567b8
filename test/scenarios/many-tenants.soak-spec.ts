/** The same scenarios with more tenants. */
process.env['CROWD'] ??= '50000';

// After the line above: the spec reads the variable when it is loaded.
await import('./many-tenants.spec.js');
