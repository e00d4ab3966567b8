import { posix } from 'node:path';

const COMMENT = /^\/\/# sourceMappingURL=(.+)$/m;

/**
 * Each script has a source map, and each map contains its sources: the package has no `lib/` that it could point to.
 *
 * @param {import('./packed-package.mjs').PackedPackage} packed
 * @returns {Promise<string[]>} what is wrong
 */
export async function brokenSourceMaps(packed) {
  const files = new Set(packed.files);
  const broken = [];
  for (const script of packed.files.filter((file) => file.endsWith('.js'))) {
    const name = COMMENT.exec(await packed.read(script))?.[1];
    const map = posix.join(posix.dirname(script), name ?? '');
    if (name === undefined || !files.has(map)) broken.push(`${script} has no source map`);
    else if (!hasSources(JSON.parse(await packed.read(map)))) broken.push(`${map} lacks its sources`);
  }
  return broken;
}

const hasSources = ({ sources, sourcesContent }) =>
  sources.length > 0 && sources.every((_, index) => typeof sourcesContent?.[index] === 'string');
