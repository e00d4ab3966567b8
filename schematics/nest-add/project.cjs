'use strict';
const { posix } = require('node:path');
const { SourceEdit } = require('./source-edit.cjs');

/**
 * What has to be known of the project before anything is changed.
 *
 * @returns {{ sourceRoot: string; entry: string; rootModule: { path: string; className: string }; nestMajor: 11 | 12; isEsm: boolean; packageManager: string }}
 */
exports.findProject = (tree, options) => {
  const manifest = readJson(tree, '/package.json');
  if (manifest === undefined)
    throw new Error('There is no package.json here: run `nest add` in the root folder of the project.');
  const configuration = readJson(tree, '/nest-cli.json') ?? {};
  const sourceRoot = trimSlashes(options.sourceRoot ?? configuration.sourceRoot ?? 'src');
  const entry = `/${sourceRoot}/${entryFileOf(configuration, sourceRoot)}.ts`;
  return {
    sourceRoot,
    entry,
    nestMajor: nestMajorOf(manifest),
    rootModule: findRootModule(tree, options, sourceRoot, entry),
    isEsm: manifest.type === 'module',
    packageManager: packageManagerOf(tree),
  };
};

function nestMajorOf({ dependencies = {}, devDependencies = {} }) {
  const range = dependencies['@nestjs/core'] ?? devDependencies['@nestjs/core'];
  const major = Number(/\d+/.exec(range ?? '')?.[0]);
  if (major === 11 || major === 12) return major;
  const what =
    range === undefined
      ? 'package.json does not name @nestjs/core'
      : `this project has @nestjs/core ${range}`;
  throw new Error(`nestjs-feishu-auth needs Nest 11 or 12; ${what}.`);
}

/** In a monorepo each application may have an entry file of its own. */
function entryFileOf({ entryFile, projects = {} }, sourceRoot) {
  const project = Object.values(projects).find((one) => trimSlashes(one.sourceRoot ?? '') === sourceRoot);
  return project?.entryFile ?? entryFile ?? 'main';
}

/** The module that the entry file starts, unless one is named. */
function findRootModule(tree, { module: named }, sourceRoot, entry) {
  if (named !== undefined) {
    const path = [`/${trimSlashes(named)}`, `/${sourceRoot}/${trimSlashes(named)}`].find((one) =>
      tree.exists(one),
    );
    if (path === undefined) throw new Error(`There is no ${named}: --module takes the path of a file.`);
    return { path, className: onlyModuleOf(tree, path) };
  }
  const started = tree.exists(entry) ? startedModule(new SourceEdit(tree, entry)) : undefined;
  if (started !== undefined) {
    const path = posix.join(posix.dirname(entry), started.from.replace(/\.[jt]s$/, '')) + '.ts';
    if (tree.exists(path)) return { path, className: started.className };
  }
  const usual = `/${sourceRoot}/app.module.ts`;
  if (tree.exists(usual)) return { path: usual, className: onlyModuleOf(tree, usual) };
  throw new Error(
    `${entry} starts no module that can be found, and there is no ${usual}: name the root module, e.g. \`nest add nestjs-feishu-auth --module src/root.module.ts\`.`,
  );
}

function startedModule(source) {
  for (const call of source.nestFactoryCalls()) {
    const className = call.arguments[0]?.getText() ?? '';
    const from = source.importedFrom(className);
    if (from?.startsWith('.')) return { className, from };
  }
  return undefined;
}

function onlyModuleOf(tree, path) {
  const classes = new SourceEdit(tree, path).moduleClasses();
  return classes.find((name) => name === 'AppModule') ?? classes[0] ?? 'AppModule';
}

function packageManagerOf(tree) {
  if (tree.exists('/pnpm-lock.yaml')) return 'pnpm';
  if (tree.exists('/yarn.lock')) return 'yarn';
  if (tree.exists('/bun.lock') || tree.exists('/bun.lockb')) return 'bun';
  return 'npm';
}

function readJson(tree, path) {
  const text = tree.read(path)?.toString('utf8');
  return text === undefined ? undefined : JSON.parse(text);
}

const trimSlashes = (path) => path.replaceAll(/^(?:\.?\/)+|\/+$/g, '');
