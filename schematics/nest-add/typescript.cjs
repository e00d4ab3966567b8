'use strict';

/**
 * The compiler of the project, or the one that the Nest CLI brings. Not a dependency: it is large, and `nest add` always
 * runs in a project that has one. TypeScript 7 has no API for scripts.
 */
exports.loadTypescript = () => {
  for (const folder of [process.cwd(), require.main?.path]) {
    try {
      const ts = require(require.resolve('typescript', { paths: [folder ?? __dirname] }));
      if (typeof ts.createSourceFile === 'function') return ts;
    } catch {
      // The next place may have one.
    }
  }
  throw new Error('nest add nestjs-feishu-auth needs TypeScript 5 or 6: run `npm install -D typescript@6`.');
};
