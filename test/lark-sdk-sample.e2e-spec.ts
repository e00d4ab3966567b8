import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import ts from 'typescript';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(REPOSITORY, '.build', 'lark-client-e2e');
const LIMIT_MS = 60_000;

/** A separate package with freshly compiled sources and samples: it needs no build and does not touch `dist`. */
function compile(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const file of [...sourcesIn('lib'), ...sourcesIn('sample')]) {
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
      './lark-sdk': './lib/lark-sdk/index.js',
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

jest.setTimeout(LIMIT_MS);
beforeAll(compile, LIMIT_MS);

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

describe('the subpath', () => {
  it.each([
    ['nestjs-feishu-auth', false],
    ['nestjs-feishu-auth/lark-sdk', true],
  ])('importing %s loads the SDK: %p', async (entry, loads) => {
    const script = `
      import { createRequire } from 'node:module';
      await import('${entry}');
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.some((file) => file.includes('@larksuiteoapi')));`;
    writeFileSync(join(FOLDER, 'load.mjs'), script);
    const { stdout } = await promisify(execFile)(process.execPath, [join(FOLDER, 'load.mjs')]);
    expect(stdout.trim()).toBe(String(loads));
  });
});

describe('npm run sample:lark-client', () => {
  let output: string;

  beforeAll(async () => {
    // Rejects unless the process exits in time with status 0.
    const main = join(FOLDER, 'sample', '02-lark-client', 'main.js');
    const env = { ...process.env, NO_COLOR: '1' };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], {
      env,
      timeout: LIMIT_MS,
    });
    output = stdout + stderr;
  }, LIMIT_MS);

  /** Returns the two figures of a row. */
  function row(step: number, label: string): number[] {
    const lines = output.split(`\n${step}. `)[1]?.split('\n\n')[0] ?? '';
    const figures = new RegExp(`^ +${label} +([\\d,]+) +([\\d,]+)$`, 'm').exec(lines)?.slice(1);
    if (!figures) throw new Error(`no "${label}" in step ${step}:\n${output}`);
    return figures.map((figure) => Number(figure.replaceAll(',', '')));
  }

  it('shows that 200 cold callers share one token request', () => {
    expect(row(1, 'messages sent')).toEqual([200, 200]);
    expect(row(1, 'token requests')).toEqual([200, 1]);
  });

  it('shows that no call fails after a revocation', () => {
    expect(row(2, 'failed calls')).toEqual([20, 0]);
    expect(row(2, 'token requests')).toEqual([0, 1]);
  });

  it('shows one token request and typed errors with a wrong secret', () => {
    expect(row(3, 'token requests')).toEqual([5, 1]);
    expect(row(3, 'errors with a code to branch on')).toEqual([0, 5]);
    expect(output).toContain('ERR_FEISHU_CREDENTIALS_REJECTED');
  });

  it('shows a log without the token and prints no secret', () => {
    expect(row(4, 'lines with the token')).toEqual([1, 0]);
    expect(output).not.toMatch(/t-\w{20}|not-a-secret|mistyped|\[Nest\]|warning/i);
  });

  it('shows messages and files, in at most 100 columns', () => {
    expect(output).toMatch(/sent om_\w+/);
    expect(output).toContain('13 bytes');
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});
