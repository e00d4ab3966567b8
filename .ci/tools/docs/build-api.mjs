// Writes the API reference from the docstrings into docs/api/, as pages of the site. Git ignores it.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter } from 'typedoc';
import { entryPointsOf } from '../entry-points.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const PACKAGE = 'nestjs-feishu-auth';
const OUT = join(REPOSITORY, 'docs', 'api');

export async function buildApi() {
  rmSync(OUT, { recursive: true, force: true });
  const application = await Application.bootstrapWithPlugins({
    entryPoints: sources(),
    tsconfig: join(REPOSITORY, 'tsconfig.json'),
    basePath: join(REPOSITORY, 'lib'),
    displayBasePath: join(REPOSITORY, 'lib'),
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    docsRoot: join(REPOSITORY, 'docs'),
    out: OUT,
    readme: 'none',
    name: 'API reference',
    logLevel: 'Error',
    treatValidationWarningsAsErrors: true,
    excludeInternal: true,
    excludeTags: ['@publicApi'],
    excludePrivate: true,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    expandObjects: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    modifierTags: ['@publicApi', '@internal', '@beta', '@experimental', '@readonly', '@sealed', '@virtual'],
    validation: { invalidLink: true, notExported: false },
  });
  // Named as they are imported: TypeDoc takes the names from the folders.
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? [])
      module.name = module.name === 'index' ? PACKAGE : `${PACKAGE}/${module.name}`;
  });
  const project = await application.convert();
  if (project === undefined || application.logger.hasErrors()) throw new Error('TypeDoc found errors');
  await application.generateOutputs(project);
}

function sources() {
  const { exports } = entryPointsOf(REPOSITORY);
  return Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => join(REPOSITORY, 'lib', subpath, 'index.ts'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildApi();
