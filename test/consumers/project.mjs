import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOf } from '../matrix/node-binary.mjs';
import { runProcess } from '../package/run-process.mjs';

const STEP_LIMIT_MS = 10 * 60_000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

/** A generated project: its files, its scripts, and the application when it runs. */
export class Project {
  #environment;
  #node;

  /** @param {{ folder: string; environment: Record<string, string>; node?: string }} options `node`: the path of another node */
  constructor({ folder, environment, node = process.execPath }) {
    this.folder = folder;
    this.#node = node;
    this.#environment = { ...environmentOf(node), ...environment, NO_COLOR: '1' };
  }

  read(path) {
    return readFile(join(this.folder, path), 'utf8');
  }

  async write(path, text) {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async edit(path, change) {
    const before = await this.read(path);
    const after = change(before);
    if (after === before)
      throw new Error(`${path} is not as it was expected, so that nothing was changed:\n${before}`);
    await this.write(path, after);
  }

  async editJson(path, change) {
    const value = JSON.parse(await this.read(path));
    change(value);
    await this.write(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Installs all that package.json names, and these. */
  async install(...packages) {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
    await this.run('npm', ['install', ...packages, ...quiet]);
  }

  /** A script of package.json. */
  script(name, ...args) {
    return this.run('npm', ['run', '--silent', name, ...(args.length > 0 ? ['--', ...args] : [])]);
  }

  /** A program of an installed package. */
  bin(name, ...args) {
    return this.run('npx', ['--no-install', name, ...args]);
  }

  async run(command, args) {
    const started = performance.now();
    const options = { cwd: this.folder, env: this.#environment, timeoutMs: STEP_LIMIT_MS };
    const output = await runProcess(command, args, options);
    const seconds = ((performance.now() - started) / 1_000).toFixed(0);
    console.log(`   ${command} ${args.join(' ').slice(0, 90)}: ${seconds} s`);
    return output;
  }

  /** Starts the application, asks for a path when it listens, and ends it as a process manager does. */
  async startAndAsk(command, path) {
    const port = await freePort();
    const [program, ...args] = command;
    const child = spawn(program === 'node' ? this.#node : program, args, {
      cwd: this.folder,
      env: { ...this.#environment, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const closed = once(child, 'close');
    try {
      const answer = await this.#ask(`http://127.0.0.1:${port}${path}`, child);
      child.kill('SIGTERM');
      const ending = await Promise.race([closed, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
      if (ending === undefined) throw new Error(`it did not end within ${STOP_LIMIT_MS} ms of SIGTERM`);
      const [code, signal] = ending;
      if (code !== 0 && signal !== 'SIGTERM' && code !== 143)
        throw new Error(`it ended with ${code ?? signal}`);
      if (/\b(ERROR|WARN|Unhandled|Warning)\b/.test(output)) throw new Error('it complained');
      return answer;
    } catch (error) {
      child.kill('SIGKILL');
      await closed;
      throw new Error(`${command.join(' ')}: ${error.message}\n${output}`, { cause: error });
    }
  }

  async #ask(url, child) {
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      try {
        const response = await fetch(url);
        const text = await response.text();
        if (!response.ok) throw new Error(`HTTP ${response.status} ${text}`);
        return JSON.parse(text);
      } catch (error) {
        const isStarting = error.cause?.code === 'ECONNREFUSED' && Date.now() < deadline;
        if (!isStarting) throw error;
        await sleep(100);
      }
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
