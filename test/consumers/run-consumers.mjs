// Adds the packed package to applications as the Nest CLI generates them, and sees whether everything still works there.
// `--only nest11,nest12` runs some; `--list` names them; `--keep` leaves the projects in the temporary folder.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CheckList } from '../package/check-list.mjs';
import { PackedPackage } from '../package/packed-package.mjs';
import { runProcess } from '../package/run-process.mjs';
import { CONSUMERS } from './consumers.mjs';
import { startFeishu } from './feishu.mjs';
import { NestCli } from './nest-cli.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const { only, list, keep } = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' }, keep: { type: 'boolean' } },
}).values;
const wanted = only?.split(',') ?? Object.keys(CONSUMERS);
const unknown = wanted.filter((id) => !(id in CONSUMERS));
if (list || unknown.length > 0) {
  if (unknown.length > 0) console.error(`--only takes some of these, not ${unknown.join(', ')}:`);
  for (const [id, { title }] of Object.entries(CONSUMERS)) console.log(`${id.padEnd(14)} ${title}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const checks = new CheckList();
const folder = await realpath(await mkdtemp(join(tmpdir(), 'nestjs-feishu-auth-consumers-')));
await runProcess('npm', ['run', '--silent', 'build'], { cwd: REPOSITORY, timeoutMs: 300_000 });
const feishu = await startFeishu(REPOSITORY);
try {
  const { tarball } = await PackedPackage.pack(REPOSITORY, folder);
  const cli = new NestCli(folder);
  for (const id of wanted) {
    const { title, run } = CONSUMERS[id];
    console.log(`\n== ${id}: ${title} ==`);
    await checks.run(id, () => run({ id, folder, tarball, cli, feishu, repository: REPOSITORY }));
    if (!keep) await rm(join(folder, id), { recursive: true, force: true });
  }
} finally {
  await feishu.stop();
  if (keep) console.log(`\nthe projects are in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
checks.end();
