import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/**
 * What the built files may import: node's own modules, declared dependencies and peers, and each other; `testing/` only from `testing/`.
 * Declarations count as much as code: a type from an undeclared package is silently `any` at the user's.
 *
 * @param {import('./packed-package.mjs').PackedPackage} packed
 * @returns {Promise<string[]>} the broken rules
 */
export async function brokenImportRules(packed) {
  const { dependencies = {}, peerDependencies = {} } = packed.manifest;
  const declared = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  const files = new Set(packed.files);
  const broken = [];
  for (const file of packed.files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    for (const specifier of importsOf(await packed.read(file))) {
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file), specifier);
        const wanted = file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target;
        if (!files.has(wanted)) broken.push(`${file} imports ${specifier}, which is not in the package`);
        if (isTesting(target) && !isTesting(file))
          broken.push(`${file} imports ${specifier}: testing/ is for tests`);
      } else if (!isBuiltin(specifier) && !declared.has(packageOf(specifier))) {
        broken.push(`${file} imports ${specifier}, which package.json does not declare`);
      }
    }
  }
  return broken;
}

/** TypeScript's own scan, so that comments and strings are not taken for imports. */
function importsOf(text) {
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(text, true, true);
  return [...importedFiles, ...typeReferenceDirectives].map((found) => found.fileName).map(asPackage);
}

/** `/// <reference types="node" />` and the built-ins need no declaration of ours. */
const asPackage = (name) => (name === 'node' ? 'node:process' : name);
const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
const isTesting = (path) => /^dist\/(esm|cjs)\/testing\//.test(path);
