'use strict';
const { version } = require('../../package.json');
const { featuresFor } = require('./features.cjs');
const { addDependencies, addLines, hasLine, namesVariable } = require('./plain-files.cjs');
const { findProject } = require('./project.cjs');
const { SourceEdit, UnusualSource } = require('./source-edit.cjs');

const PACKAGE = 'nestjs-feishu-auth';

/**
 * `nest add nestjs-feishu-auth`: registers the module in the root module, with what the options ask for. A second run
 * changes nothing. Where a file is too unusual to edit it changes no file at all, and says what to paste.
 *
 * @param {{ sourceRoot?: string; module?: string; domain?: string; health?: boolean; webhook?: boolean; login?: boolean; skipInstall?: boolean }} options
 */
exports.nestAdd = (options) => (tree, context) => {
  const project = findProject(tree, options);
  const features = featuresFor(options, project);
  const rootModule = new SourceEdit(tree, project.rootModule.path);
  if (rootModule.mentions('FeishuAuthModule')) {
    context.logger.info(`${project.rootModule.path} has FeishuAuthModule already: nothing was changed.`);
    const [, ...optional] = features;
    if (optional.length > 0) context.logger.info(pasteList(project, optional));
    return tree;
  }

  const edits = [rootModule];
  try {
    registerModule(rootModule, project, features);
    if (features.some(({ needsRawBody }) => needsRawBody)) edits.push(withRawBody(tree, project));
    assertFree(tree, features);
  } catch (error) {
    if (!(error instanceof UnusualSource)) throw error;
    throw new Error(
      `${error.message}. Nothing was changed. To do it by hand:\n\n${pasteList(project, features)}`,
      { cause: error },
    );
  }
  for (const edit of edits) edit.save();
  for (const { path, text } of features.flatMap(({ files }) => files)) tree.create(path, text);
  addLines(
    tree,
    '/.env.example',
    features.flatMap(({ environment }) => environment),
    namesVariable,
  );
  addLines(
    tree,
    '/.gitignore',
    features.flatMap(({ ignored }) => ignored),
    hasLine,
  );
  const isPackageChanged = addDependencies(tree, dependenciesOf(features));
  if (isPackageChanged && !options.skipInstall) install(context, project);
  for (const step of features.flatMap(({ steps }) => steps)) context.logger.info(step);
  return tree;
};

function registerModule(rootModule, { rootModule: { className, path } }, features) {
  rootModule.addImport(['FeishuAuthModule', ...features.flatMap(({ names }) => names)], PACKAGE);
  const members = features.flatMap((feature) => feature.members);
  for (const { name, from } of members) rootModule.addImport([name], from);
  const inList = (list) => members.filter((member) => member.list === list).map(({ name }) => name);
  try {
    // Last, so that a ConfigModule before it has filled process.env.
    rootModule.addToModule(className, {
      imports: [...inList('imports'), callOf(features)],
      controllers: inList('controllers'),
      providers: inList('providers'),
    });
  } catch (error) {
    throw error instanceof UnusualSource ? new UnusualSource(`${path}: ${error.message}`) : error;
  }
}

/** The event endpoint verifies signatures over the bytes that came. */
function withRawBody(tree, { entry }) {
  try {
    const main = new SourceEdit(tree, entry);
    main.addCreateOption('rawBody', 'true');
    return main;
  } catch (error) {
    throw error instanceof UnusualSource ? new UnusualSource(`${entry}: ${error.message}`) : error;
  }
}

function assertFree(tree, features) {
  const taken = features.flatMap(({ files }) => files).find(({ path }) => tree.exists(path));
  if (taken) throw new UnusualSource(`${taken.path} is there already`);
}

function callOf(features) {
  const settings = features.flatMap((feature) => feature.settings);
  return ['FeishuAuthModule.forRoot({', ...settings.map((line) => `  ${line}`), '})'].join('\n');
}

const dependenciesOf = (features) =>
  Object.assign({ [PACKAGE]: `^${version}` }, ...features.map(({ dependencies }) => dependencies));

/** What the schematic would have done, as text. */
function pasteList({ rootModule, entry }, features) {
  const members = features.flatMap((feature) => feature.members);
  const names = ['FeishuAuthModule', ...features.flatMap((feature) => feature.names)];
  const environment = features.flatMap((feature) => feature.environment);
  const inList = (list) => members.filter((member) => member.list === list).map(({ name }) => name);
  const lists = [
    ['imports', [...inList('imports'), callOf(features)]],
    ['controllers', inList('controllers')],
    ['providers', inList('providers')],
  ].filter(([, elements]) => elements.length > 0);
  const packages = Object.entries(dependenciesOf(features)).map(([name, range]) => `${name}@${range}`);
  return [
    `In ${rootModule.path}:`,
    indent(
      [
        `import { ${names.join(', ')} } from '${PACKAGE}';`,
        ...members.map(({ name, from }) => `import { ${name} } from '${from}';`),
        ...lists.map(([list, elements]) => `// in ${list} of @Module():\n${elements.join(',\n')},`),
      ].join('\n'),
    ),
    ...(features.some(({ needsRawBody }) => needsRawBody)
      ? [`In ${entry}:`, indent('NestFactory.create(AppModule, { rawBody: true })')]
      : []),
    ...features.flatMap(({ files }) => files).flatMap(({ path, text }) => [`In ${path}:`, indent(text)]),
    ...(environment.length > 0 ? ['In .env.example:', indent(environment.join('\n'))] : []),
    `Install: npm install ${packages.join(' ')}`,
  ].join('\n\n');
}

const indent = (text) => text.trimEnd().replaceAll(/^(?=.)/gm, '    ');

/** By its name, so that no package of the devkit has to be installed. */
function install(context, { packageManager }) {
  context.addTask({
    toConfiguration: () => ({ name: 'node-package', options: { packageManager, command: 'install' } }),
  });
}
