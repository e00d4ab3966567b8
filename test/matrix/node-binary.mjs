import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProcess } from '../package/run-process.mjs';

/**
 * The path of a node of this major version: the one that runs this if it fits, else the newest from npm, kept in the cache folder.
 *
 * @param {number} major
 * @param {string} cacheFolder
 */
export async function nodeBinary(major, cacheFolder) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const folder = join(cacheFolder, `node-${major}`);
  const binary = join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const version = await newestVersion(name, major);
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runProcess('npm', ['install', `${name}@${version}`, '--prefix', folder, ...quiet], {
    timeoutMs: 300_000,
  });
  return binary;
}

/** The environment in which `node` means that binary, for whatever a test starts by name. */
export function environmentOf(binary) {
  const path = process.platform === 'win32' ? 'Path' : 'PATH';
  return {
    ...process.env,
    [path]: `${dirname(binary)}${process.platform === 'win32' ? ';' : ':'}${process.env[path]}`,
  };
}

/** By the list of versions: `npm install name@24` follows the dist-tag, which stays behind. */
async function newestVersion(name, major) {
  const output = await runProcess('npm', ['view', name, 'versions', '--json']);
  const versions = [JSON.parse(output)].flat().filter((version) => /^\d+\.\d+\.\d+$/.test(version));
  const newest = versions
    .filter((version) => version.startsWith(`${major}.`))
    .toSorted(byVersion)
    .at(-1);
  if (newest === undefined) throw new Error(`${name} has no version ${major}`);
  return newest;
}

const byVersion = (a, b) => a.localeCompare(b, 'en', { numeric: true });
