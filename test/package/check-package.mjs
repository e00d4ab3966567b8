// Looks at the package as its users get it: packed, unpacked outside of this repository, imported and required.
// `--smoke` runs only what depends on the version of node or Nest.
import { cp, mkdir, mkdtemp, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { CheckList } from './check-list.mjs';
import { brokenImportRules } from './import-rules.mjs';
import { PackedPackage } from './packed-package.mjs';
import { runProcess } from './run-process.mjs';
import { brokenSourceMaps } from './source-maps.mjs';
import { linksOf } from '../../.ci/tools/docs/markdown-links.mjs';
import { entryPointsOf } from '../../.ci/tools/entry-points.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const REPOSITORY = join(HERE, '..', '..');
const SMOKES = ['smoke.mjs', 'smoke.cjs'];
const TWO_COPIES = 'two-copies.mjs';
const SMOKE_LIMIT_MS = 15_000;

/** What an application has besides what the package declares. */
const HTTP_PLATFORM = { '@nestjs/platform-express': '*' };

/** All that may be published. */
const PUBLISHED =
  /^(dist\/(esm|cjs)\/.+\.(js|js\.map|d\.ts)|dist\/cjs\/package\.json|schematics\/.+\.(cjs|json)|docs\/.+\.(md|svg|png|json|yml)|package\.json|LICENSE|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/;
const NEVER_PUBLISHED = /\.(e2e-|soak-)?spec\.|^docs\/(api|\.vitepress)\/|^docs\/benchmarks\/run\.json$/;
const ALWAYS_PUBLISHED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/getting-started.md'];
/** The manual is in the package so that the README's links work. It must not dominate the size of the package. */
const MANUAL_LIMIT_KB = 1_000;

const checks = new CheckList();
const folder = await realpath(await mkdtemp(join(tmpdir(), 'nestjs-feishu-auth-package-')));
try {
  const packed = await PackedPackage.pack(REPOSITORY, folder);
  if (!process.argv.includes('--smoke')) await checkContents(packed);
  await checkSmoke(packed);
} finally {
  await rm(folder, { recursive: true, force: true });
}
checks.end();

async function checkContents(packed) {
  await checks.run('published files', () => {
    const wrong = packed.files.filter((file) => !PUBLISHED.test(file) || NEVER_PUBLISHED.test(file));
    const missing = ALWAYS_PUBLISHED.filter((file) => !packed.files.includes(file));
    none([
      ...wrong.map((file) => `not for publishing: ${file}`),
      ...missing.map((file) => `missing: ${file}`),
    ]);
    return `${packed.files.length} files`;
  });
  await checks.run('manual', async () => {
    none(await deadLinks(packed));
    const manual = packed.files.filter((file) => file.startsWith('docs/'));
    const sizes = await Promise.all(manual.map(async (file) => (await stat(join(packed.root, file))).size));
    const kilobytes = Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1_000);
    if (kilobytes > MANUAL_LIMIT_KB)
      throw new Error(`docs/ has ${kilobytes} kB, more than ${MANUAL_LIMIT_KB}`);
    return `${manual.length} files, ${kilobytes} kB`;
  });
  await checks.run('entry points', () => {
    const wanted = entryPointsOf(REPOSITORY);
    const { exports, typesVersions } = packed.manifest;
    if (!isDeepStrictEqual({ exports, typesVersions }, wanted))
      throw new Error(
        'package.json does not have those of lib/: run `npm run build` and commit package.json',
      );
    return Object.keys(exports).join(' ');
  });
  await checks.run('source maps', async () => none(await brokenSourceMaps(packed)));
  await checks.run('imports', async () => none(await brokenImportRules(packed)));
  await checks.run('publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: packed.root, pack: false, strict: true });
    none(messages.map((message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`));
  });
  await checks.run('attw', async () => {
    const attw = join(REPOSITORY, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const args = [packed.tarball, '--no-definitely-typed', '--no-color', '--no-emoji'];
    await runProcess(process.execPath, [attw, ...args]);
  });
}

async function checkSmoke(packed) {
  await installBeside(packed);
  const exported = {};
  for (const file of SMOKES) {
    await checks.run(file, async () => {
      exported[file] = JSON.parse(await runHere(file));
    });
  }
  await checks.run(TWO_COPIES, async () => void (await runHere(TWO_COPIES)));
  await checks.run('import and require see the same names', () => {
    const [imported, required] = SMOKES.map((file) => exported[file]);
    if (imported === undefined || !isDeepStrictEqual(imported, required)) {
      throw new Error(`import:  ${JSON.stringify(imported)}\nrequire: ${JSON.stringify(required)}`);
    }
    return Object.entries(imported)
      .map(([entry, names]) => `${entry} ${names.length}`)
      .join(', ');
  });
}

function runHere(file) {
  const args = ['--disable-warning=ExperimentalWarning', file];
  return runProcess(process.execPath, args, { cwd: folder, timeoutMs: SMOKE_LIMIT_MS });
}

/**
 * Lays the package out as an installation does. Only what its package.json declares is linked, and the HTTP platform,
 * so that an import of anything else fails here, and each dependency is the one copy that this repository has.
 */
async function installBeside(packed) {
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  await rename(packed.root, join(modules, packed.manifest.name));
  const { dependencies, peerDependencies } = packed.manifest;
  for (const name of Object.keys({ ...dependencies, ...peerDependencies, ...HTTP_PLATFORM })) {
    const link = join(modules, name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(REPOSITORY, 'node_modules', name), link, 'junction');
  }
  for (const file of [...SMOKES, TWO_COPIES, 'smoke-application.mjs'])
    await cp(join(HERE, file), join(folder, file));
}

/** Links of the published documents to files that are not published. */
async function deadLinks(packed) {
  const files = new Set(packed.files);
  const documents = packed.files.filter((file) => file.endsWith('.md'));
  const links = await Promise.all(
    documents.map(async (file) => linksOf(await packed.read(file)).map(({ path }) => ({ file, path }))),
  );
  return links
    .flat()
    .filter(({ file, path }) => path !== '' && !files.has(posix.join(posix.dirname(file), path)))
    .map(({ file, path }) => `${file} links to ${path}, which is not in the package`);
}

function none(problems) {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
