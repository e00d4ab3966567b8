import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { startPlatform, SELF_BUILT } from './fixtures/feishu-platform.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/**
 * Far more than any process needs on a busy machine: a process that still runs does not exit. Jest's limit is higher,
 * so that the test ends the process first.
 */
const TIME_LIMIT_MS = 30_000;
const TEST_LIMIT_MS = TIME_LIMIT_MS + 5_000;
/** The compiler needs far longer on a busy machine, and its duration proves nothing. */
const COMPILE_LIMIT_MS = 180_000;

/** Runs a program to its end. Fails with its output if it fails or does not exit. */
function run(...args: string[]): Promise<string> {
  return runWithin(TIME_LIMIT_MS, args);
}

function runWithin(timeout: number, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, timeout, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
      else if (stderr) reject(new Error(`${args.join(' ')} complained:\n${stderr}`));
      else resolve(stdout);
    });
  });
}

describe('a process with the module in it', () => {
  /** Inside the repository, where Node finds the packages. Not `dist`, which another process may build. */
  let folder: string;
  let platform: FeishuEmulator;

  beforeAll(async () => {
    mkdirSync(join(ROOT, '.build'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.build', 'process-exit-'));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const output = ['--declaration', 'false', '--outDir', join(folder, 'lib')];
    await runWithin(COMPILE_LIMIT_MS, [tsc, '-p', 'tsconfig.json', '--noCheck', ...output]);
  }, COMPILE_LIMIT_MS + 5_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    platform = await startPlatform();
  });

  afterEach(() => platform.stop());

  it(
    'loads Node’s fetch at the start, and not with a custom fetch',
    async () => {
      const path = join(folder, 'loads-fetch.mjs');
      writeFileSync(
        path,
        `
        import { resolveOptions } from './lib/feishu-auth.options.schema.js';
        const options = ${JSON.stringify(SELF_BUILT)};
        const isLoaded = () => process.moduleLoadList.some((name) => name.endsWith('undici/undici'));
        resolveOptions({ ...options, fetch: async () => undefined });
        const withItsOwn = isLoaded();
        resolveOptions(options);
        console.log(withItsOwn, isLoaded());
        `,
      );
      expect(await run(path)).toBe('false true\n');
    },
    TEST_LIMIT_MS,
  );

  let scripts = 0;

  /** Runs `body` in a process with an application context. */
  function runScript(body: string, { imports = '', refresh = {} } = {}): Promise<string> {
    const path = join(folder, `script-${++scripts}.mjs`);
    const options = { ...SELF_BUILT, domain: platform.domain, refresh };
    writeFileSync(
      path,
      `
      import 'reflect-metadata';
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      import { ScheduleModule } from '@nestjs/schedule';
      import { FeishuAuthModule, TokenService } from './lib/index.js';

      let sent;
      const isSent = new Promise((resolve) => (sent = resolve));
      const options = {
        ...${JSON.stringify(options)},
        fetch: (...request) => (sent(), fetch(...request)),
      };
      class AppModule {}
      Module({ imports: [${imports} FeishuAuthModule.forRoot(options)] })(AppModule);
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      const tokens = app.get(TokenService);
      ${body}
      `,
    );
    return run(path);
  }

  it.each([
    ['', ''],
    [' and the scheduler', 'ScheduleModule.forRoot(),'],
  ])(
    '#50 that never closes it%s exits',
    async (_, imports) => {
      const written = await runScript('console.log(await tokens.getTenantAccessToken());', { imports });
      expect(written).toMatch(/^t-\S+\n$/);
    },
    TEST_LIMIT_MS,
  );

  it(
    '#50 that never closes it exits while a background request to Feishu hangs',
    async () => {
      platform.faults.add({ kind: 'hang' });
      const refresh = { requestTimeoutMs: 500 };
      expect(await runScript("await isSent; console.log('sent');", { refresh })).toBe('sent\n');
    },
    TEST_LIMIT_MS,
  );

  it(
    '#50 that closes it during a hanging refresh rejects the callers and exits',
    async () => {
      platform.faults.add({ kind: 'hang' });
      const written = await runScript(`
      const waiters = Promise.allSettled([tokens.getTenantAccessToken(), tokens.getAppAccessToken()]);
      await isSent;
      await app.close();
      for (const { reason } of await waiters) console.log(reason.code);
    `);
      expect(written).toBe('ERR_FEISHU_CLOSED\nERR_FEISHU_CLOSED\n');
    },
    TEST_LIMIT_MS,
  );

  it(
    '#50 that closes an idle one exits',
    async () => {
      const written = await runScript(`
      const token = await tokens.getTenantAccessToken();
      await app.close();
      console.log(token.length > 0, await tokens.getTenantAccessToken().catch(({ code }) => code));
    `);
      expect(written).toBe('true ERR_FEISHU_CLOSED\n');
    },
    TEST_LIMIT_MS,
  );
});
