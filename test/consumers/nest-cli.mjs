import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '../package/run-process.mjs';

const INSTALL_LIMIT_MS = 600_000;

/** The Nest CLI of a major version, installed once in a folder of its own, as `npx` does. */
export class NestCli {
  #folder;
  #installed = new Map();

  constructor(folder) {
    this.#folder = folder;
  }

  /** `nest new <name>`: the application of the CLI's own template, nothing installed yet. */
  async newApplication(major, folder, name) {
    const script = join(await this.#install(major), 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
    const args = [script, 'new', name, '--package-manager', 'npm', '--skip-git', '--skip-install'];
    await runProcess(process.execPath, args, { cwd: folder, timeoutMs: 120_000 });
  }

  /** The CommonJS template of the CLI 12, which `nest new` offers in a dialogue only. */
  async newCommonJsApplication(major, folder, name) {
    const cli = await this.#install(major);
    const script = join(cli, 'node_modules', '@angular-devkit', 'schematics-cli', 'bin', 'schematics.js');
    const collection = join(cli, 'node_modules', '@nestjs', 'schematics');
    const args = [script, `${collection}:application`, `--name=${name}`, '--type=cjs', '--strict'];
    await runProcess(process.execPath, args, { cwd: folder, timeoutMs: 120_000 });
  }

  #install(major) {
    const installing = this.#installed.get(major) ?? this.#installIn(major);
    this.#installed.set(major, installing);
    return installing;
  }

  async #installIn(major) {
    const folder = join(this.#folder, `cli-${major}`);
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', `@nestjs/cli@${major}`, '--no-audit', '--no-fund', '--loglevel=error'];
    await runProcess('npm', args, { cwd: folder, timeoutMs: INSTALL_LIMIT_MS });
    return folder;
  }
}
