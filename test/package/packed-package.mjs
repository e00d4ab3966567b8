import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { runProcess } from './run-process.mjs';

/** The package as npm would publish it: its tarball, and its files unpacked under a `node_modules`. */
export class PackedPackage {
  /** @param {string} tarball @param {string} root @param {{ name: string; dependencies?: object; peerDependencies?: object }} manifest @param {readonly string[]} files */
  constructor(tarball, root, manifest, files) {
    this.tarball = tarball;
    this.root = root;
    this.manifest = manifest;
    /** Paths relative to `root`, with forward slashes. */
    this.files = files;
  }

  /** @param {string} repository @param {string} into an empty folder */
  static async pack(repository, into) {
    await runProcess('npm', ['pack', '--ignore-scripts', '--pack-destination', into], { cwd: repository });
    const name = (await readdir(into)).find((file) => file.endsWith('.tgz'));
    if (name === undefined) throw new Error('npm pack left no tarball');
    // Relative names, because tar takes a drive letter for a host.
    await runProcess('tar', ['-xzf', name], { cwd: into });
    const root = join(into, 'package');
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
    return new PackedPackage(join(into, name), root, manifest, files.toSorted());
  }

  /** @param {string} file */
  read(file) {
    return readFile(join(this.root, file), 'utf8');
  }
}
