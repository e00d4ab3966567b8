import { jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const NOWHERE = '/nowhere/redis-server';
const MISSING = `'${NOWHERE}' was not found: install redis-server, or name it in REDIS_SERVER_BIN`;
const LIMIT_MS = 60_000;

/** Two: of one file alone Jest shows output that it hides when there are more. */
const SPECS = [
  { file: 'test/fleet/redis-refresh-lock.e2e-spec.ts', title: 'RedisRefreshLock on a real redis-server' },
  { file: 'test/fleet/ioredis-refresh-lock.e2e-spec.ts', title: 'RedisRefreshLock with ioredis' },
];

jest.setTimeout(2 * LIMIT_MS);

/** What Jest makes of {@link SPECS} on a machine that has no redis-server. */
function runWithoutRedis(environment: { CI?: 'true' }): { status: number | null; output: string } {
  const { CI: _, ...others } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      ...['node_modules/jest/bin/jest.js', ...SPECS.map(({ file }) => file)],
    ],
    {
      cwd: REPOSITORY,
      env: { ...others, FORCE_COLOR: '0', REDIS_SERVER_BIN: NOWHERE, ...environment },
      encoding: 'utf8',
      timeout: LIMIT_MS,
    },
  );
  return { status, output: stdout + stderr };
}

describe('the specs that need a redis-server, where there is none', () => {
  it('are skipped, and it is said which and why', () => {
    const { status, output } = runWithoutRedis({});
    for (const { title } of SPECS) expect(output).toContain(`SKIPPED: ${title}`);
    expect(output).toContain(MISSING);
    expect(output).toContain('Test Suites: 2 skipped, 0 of 2 total\n');
    expect(status).toBe(0);
  });

  it('fail in CI, and say why', () => {
    const { status, output } = runWithoutRedis({ CI: 'true' });
    for (const { title } of SPECS) expect(output).toContain(`● ${title}`);
    expect(output).toContain(MISSING);
    expect(output).toContain('Test Suites: 2 failed, 2 total\n');
    expect(status).toBe(1);
  });
});
