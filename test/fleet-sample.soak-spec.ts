import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import ts from 'typescript';
import { describeWithRedis } from './fleet/redis-server.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(REPOSITORY, '.build', 'fleet-e2e');
const LIMIT_MS = 120_000;

/** Library and sample afresh, as a package of their own: no build needed before, and nobody else's `dist` touched. */
function compile(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const file of [...sourcesIn('lib'), ...sourcesIn(join('sample', '03-fleet'))]) {
    const { outputText } = ts.transpileModule(readFileSync(join(REPOSITORY, file), 'utf8'), {
      fileName: file,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const output = join(FOLDER, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, outputText);
  }
  const manifest = {
    name: 'nestjs-feishu-auth',
    type: 'module',
    exports: {
      '.': './lib/index.js',
      './redis': './lib/redis/index.js',
      './testing': './lib/testing/index.js',
    },
  };
  writeFileSync(join(FOLDER, 'package.json'), JSON.stringify(manifest));
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.spec)\.ts$/.test(entry.name))
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)));
}

/** The sample in a process without a terminal. */
class FleetSample {
  output = '';
  private readonly child: ChildProcess;
  private readonly exit: Promise<unknown[]>;

  constructor(args: readonly string[] = [], environment: Record<string, string> = {}) {
    const main = join(FOLDER, 'sample', '03-fleet', 'main.js');
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exit = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    running.push(this);
  }

  /** Its exit status, or the signal that ended it. The output of all its children is closed by then. */
  async end(): Promise<unknown> {
    const [code, signal] = await this.exit;
    return code ?? signal;
  }

  async shows(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`it ended without "${text}":\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

let running: FleetSample[] = [];

jest.setTimeout(LIMIT_MS);
beforeAll(compile, LIMIT_MS);

afterEach(() => {
  // SIGTERM, so that it takes its children with it; one that has ended does not mind.
  for (const sample of running) sample.signal('SIGTERM');
  running = [];
});

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

describeWithRedis('the sample of a fleet', () => {
  it('without a terminal shows a fleet in trouble, ends by itself, and the totals are what they should be', async () => {
    const sample = new FleetSample(['--life', '6']);
    const status = await sample.end();

    const totals = sample.output.split('what they should be\n')[1] ?? '';
    expect(totals).not.toContain('NOT ok');
    expect(totals).toMatch(/platform calls at the cold start +1 +1 +ok/);
    expect(totals).toMatch(/tokens rejected in [\d,]+ API calls +0 +0 +ok/);
    expect(totals).toMatch(/failed reads of [\d,]+ +0 +0 +ok/);
    expect(totals).toContain('All totals are what they should be.\n');
    expect(sample.output).toMatch(
      /process +reads +platform calls +adopted +lock waits +slowest read +health\n/,
    );
    expect(sample.output).toMatch(/replica-\d .* killed\n/);
    expect(sample.output).not.toContain('\u001B');
    expect(Math.max(...sample.output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(status).toBe(0);
  });

  it('can be interrupted, and takes its processes with it', async () => {
    const sample = new FleetSample();
    await sample.shows('\n2. ');
    sample.signal('SIGINT');
    expect(await sample.end()).toBe(130);
  });
});

describe('the sample of a fleet without a redis-server', () => {
  it('says what is missing, and how to get it', async () => {
    const sample = new FleetSample([], { REDIS_SERVER_BIN: 'no-such-redis-server' });
    expect(await sample.end()).toBe(1);
    expect(sample.output).toContain("'no-such-redis-server' cannot be started");
    expect(sample.output).toContain('apt-get install redis-server');
    expect(sample.output).toContain('REDIS_SERVER_BIN');
    expect(sample.output).not.toMatch(/^ +at /m); // no stack
  });
});
