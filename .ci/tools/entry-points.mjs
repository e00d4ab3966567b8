import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The entry points of the package: `.`, and one subpath for each folder of `lib/` that has an `index.ts`.
 * `exports` and `typesVersions` of package.json follow from them, so a new subpath is a new folder and nothing else.
 *
 * @param {string} repository
 * @returns {{ exports: object; typesVersions: object }}
 */
export function entryPointsOf(repository) {
  const lib = join(repository, 'lib');
  const subpaths = readdirSync(lib)
    .filter((folder) => existsSync(join(lib, folder, 'index.ts')))
    .toSorted();
  return {
    exports: {
      '.': conditionsOf('index'),
      ...Object.fromEntries(subpaths.map((name) => [`./${name}`, conditionsOf(`${name}/index`)])),
      './package.json': './package.json',
    },
    // `moduleResolution: node10`, which older CommonJS projects have, does not read `exports`.
    typesVersions: {
      '*': Object.fromEntries(subpaths.map((name) => [name, [`./dist/cjs/${name}/index.d.ts`]])),
    },
  };
}

/** Declarations of each format beside its code: TypeScript takes the format of a `.d.ts` from the nearest package.json. */
function conditionsOf(file) {
  const build = (format) => ({
    types: `./dist/${format}/${file}.d.ts`,
    default: `./dist/${format}/${file}.js`,
  });
  return { import: build('esm'), require: build('cjs') };
}

/** Brings package.json up to date. Returns whether it changed. */
export function writeEntryPoints(repository) {
  const path = join(repository, 'package.json');
  const before = readFileSync(path, 'utf8');
  const after = `${JSON.stringify({ ...JSON.parse(before), ...entryPointsOf(repository) }, null, 2)}\n`;
  if (after === before) return false;
  writeFileSync(path, after);
  return true;
}
