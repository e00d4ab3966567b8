import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What belongs to the Nest 11 line. Companion packages have their own numbers there. */
const NEST_11 = {
  '@nestjs/common': '^11.0.0',
  '@nestjs/core': '^11.0.0',
  '@nestjs/testing': '^11.0.0',
  '@nestjs/microservices': '^11.0.0',
  '@nestjs/platform-express': '^11.0.0',
  '@nestjs/platform-fastify': '^11.0.0',
  '@nestjs/terminus': '^11.0.0',
  '@nestjs/schedule': '^6.0.0',
  '@nestjs/cache-manager': '^3.0.0',
  '@nestjs/graphql': '^13.0.0',
  '@nestjs/mercurius': '^13.0.0',
  '@nestjs/axios': '^4.0.0',
  '@nestjs/config': '^4.0.0',
};

const LEFT_BEHIND = new Set(['node_modules', '.git', 'dist', '.build', 'coverage']);

/** Copies the repository, its lock file too, with every Nest package taken from the Nest 11 line. Nothing is installed yet. */
export async function copyForNest11(repository, into) {
  await cp(repository, into, {
    recursive: true,
    filter: (path) => path === repository || !LEFT_BEHIND.has(basename(path)),
  });
  const file = join(into, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  for (const name of Object.keys(manifest.devDependencies).filter((key) => key.startsWith('@nestjs/'))) {
    const version = NEST_11[name];
    if (version === undefined)
      throw new Error(`which version of ${name} goes with Nest 11? Add it to test/matrix/nest-11.mjs`);
    manifest.devDependencies[name] = version;
  }
  await writeFile(file, JSON.stringify(manifest, null, 2));
}
