import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FeishuEmulator } from '../lib/testing/feishu-emulator.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(REPOSITORY, '.build', 'quick-start-e2e');
const PROMISED_MS = 20_000;
const APP = { appId: 'cli_real', appSecret: 'a-secret-to-keep' };

/**
 * A separate package with freshly compiled sources and sample: it needs no build and does not touch `dist`.
 * `npm run typecheck` checks the types.
 */
async function compile(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const manifest = {
    name: 'nestjs-feishu-auth',
    type: 'module',
    exports: { '.': './lib/index.js', './testing': './lib/testing/index.js' },
  };
  const project = {
    extends: '../../test/tsconfig.json',
    compilerOptions: { noEmit: false, noCheck: true, declaration: false, outDir: '.' },
    include: ['../../lib', '../../sample'],
    exclude: ['../../**/*.spec.ts'],
  };
  await writeFile(join(FOLDER, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(FOLDER, 'tsconfig.json'), JSON.stringify(project));
  const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [tsc, '-p', FOLDER]);
}

/** Runs the quick start in a process without a terminal. */
class QuickStart {
  output = '';
  private readonly child: ChildProcess;
  private readonly start = performance.now();
  private readonly exit: Promise<unknown[]>;

  constructor(args: readonly string[] = [], environment: Record<string, string> = {}) {
    const main = join(FOLDER, 'sample', '00-quick-start', 'main.js');
    const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, FEISHU_DOMAIN: _domain, ...others } = process.env;
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...others, NO_COLOR: '1', PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exit = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    running.push(this);
  }

  /** The exit status, or the signal that ended the process. */
  async end(): Promise<{ status: unknown; tookMs: number }> {
    const [code, signal] = await this.exit;
    return { status: code ?? signal, tookMs: performance.now() - this.start };
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

  /** Returns the output of one step. */
  step(number: number): string {
    const after = this.output.split(`\n${number}. `)[1] ?? '';
    return after.split('\n\n')[0] ?? '';
  }

  figure(step: number, label: string): number {
    const found = new RegExp(`^ +${label} +([\\d,]+)`, 'm').exec(this.step(step))?.[1];
    if (found === undefined) throw new Error(`no "${label}" in step ${step}:\n${this.output}`);
    return Number(found.replaceAll(',', ''));
  }
}

let running: QuickStart[] = [];

beforeAll(compile, 60_000);

afterEach(() => {
  for (const quickStart of running) quickStart.signal('SIGKILL');
  running = [];
});

afterAll(() => rm(FOLDER, { recursive: true, force: true }));

describe('the quick start', () => {
  it('without a terminal prints all steps and exits', async () => {
    const quickStart = new QuickStart();
    const { status, tookMs } = await quickStart.end();

    expect(quickStart.output).not.toMatch(/\[Nest\]|warning/i);
    expect(status).toBe(0);
    expect(tookMs).toBeLessThan(PROMISED_MS);
    expect(Math.max(...quickStart.output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);

    expect(quickStart.figure(1, 'callers with a token')).toBe(1_000);
    expect(quickStart.figure(1, 'requests to Feishu')).toBe(1);

    expect(quickStart.figure(2, 'reads')).toBeGreaterThan(1_000);
    expect(quickStart.figure(2, 'answered from memory')).toBe(quickStart.figure(2, 'reads'));

    expect(quickStart.figure(3, 'renewals')).toBeGreaterThanOrEqual(1);
    expect(quickStart.figure(3, 'reads during a renewal')).toBeGreaterThan(0);
    expect(quickStart.figure(3, 'reads that waited')).toBe(0);

    expect(quickStart.figure(4, 'rejected by the API')).toBe(quickStart.figure(4, 'API calls'));
    expect(quickStart.figure(4, 'new tokens fetched')).toBe(1);
    expect(quickStart.figure(4, 'failed calls')).toBe(0);

    expect(quickStart.output).toMatch(/hit rate .* met\n/);
  }, 60_000);

  it('with --serve and a port in use listens on a free port until it is interrupted', async () => {
    const other = await listening();
    const { port } = other.address() as AddressInfo;
    const quickStart = new QuickStart(['--serve'], { PORT: String(port) });
    try {
      await quickStart.shows('/bot\n');

      expect(quickStart.output).toContain(`Port ${port} is in use`);
      const [health, metrics, bot] = [...quickStart.output.matchAll(/curl (\S+)/g)].map(
        ([, url = '']) => url,
      );
      expect(await get(health)).toMatchObject({ status: 200, body: { status: 'ok' } });
      expect(await get(metrics)).toMatchObject({ status: 200, body: { kinds: { tenant: { tokens: 1 } } } });
      expect(await get(bot)).toMatchObject({ status: 200, body: { app_name: 'bot of cli_quickstart' } });

      quickStart.signal('SIGINT');
      expect((await quickStart.end()).status).toBe(0);
    } finally {
      other.close();
    }
  }, 60_000);

  it('exits when it is interrupted during the demonstration', async () => {
    const quickStart = new QuickStart();
    await quickStart.shows('\n2. ');
    const shownSoFar = quickStart.output;

    quickStart.signal('SIGINT');
    expect((await quickStart.end()).status).toBe(0);
    expect(quickStart.output).toBe(shownSoFar);
  }, 60_000);
});

describe('the quick start with credentials', () => {
  let platform: FeishuEmulator;

  beforeEach(async () => {
    platform = await FeishuEmulator.start({ apps: [APP] });
  });

  afterEach(() => platform.stop());

  function withCredentials(appSecret: string): QuickStart {
    return new QuickStart([], {
      FEISHU_APP_ID: APP.appId,
      FEISHU_APP_SECRET: appSecret,
      FEISHU_DOMAIN: platform.domain.open,
    });
  }

  it('uses the real app and names the steps that it skips', async () => {
    const quickStart = withCredentials(APP.appSecret);

    expect((await quickStart.end()).status).toBe(0);
    expect(platform.requests).toHaveLength(1);
    expect(quickStart.figure(1, 'requests to Feishu')).toBe(1);
    expect(quickStart.step(3)).toContain('Skipped: ');
    expect(quickStart.step(4)).toContain('Skipped: ');
    expect(quickStart.output).not.toMatch(new RegExp(`${APP.appSecret}|t-\\w{20}`));
  }, 60_000);

  it('explains a wrong secret without printing it', async () => {
    const quickStart = withCredentials('not-its-secret');

    expect((await quickStart.end()).status).toBe(1);
    expect(quickStart.output).toContain('Feishu rejected the app (code 10014). Check FEISHU_APP_ID');
    expect(quickStart.output).not.toContain('not-its-secret');
  }, 60_000);

  it.each([
    ['half of the credentials', { FEISHU_APP_ID: APP.appId }, 'Set both'],
    [
      'an unknown domain',
      { FEISHU_DOMAIN: 'lrak', FEISHU_APP_ID: 'a', FEISHU_APP_SECRET: 'b' },
      'FEISHU_DOMAIN',
    ],
    ['an invalid port', { PORT: 'http' }, 'PORT'],
  ])(
    'refuses %s',
    async (_what, environment, message) => {
      const quickStart = new QuickStart([], environment);

      expect((await quickStart.end()).status).toBe(1);
      expect(quickStart.output).toContain(message);
    },
    60_000,
  );
});

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function get(url = ''): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}
