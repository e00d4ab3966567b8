import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { nestAdd } = require('../../schematics/nest-add/index.cjs') as { nestAdd: NestAdd };

interface Options {
  readonly sourceRoot?: string;
  readonly module?: string;
  readonly domain?: string;
  readonly health?: boolean;
  readonly webhook?: boolean;
  readonly login?: boolean;
  readonly skipInstall?: boolean;
}

type NestAdd = (options: Options) => (tree: MemoryTree, context: unknown) => unknown;

/** What the schematic uses of the devkit's tree. */
class MemoryTree {
  readonly files: Map<string, string>;

  constructor(files: Record<string, string>) {
    this.files = new Map(Object.entries(files));
  }
  exists(path: string): boolean {
    return this.files.has(path);
  }
  read(path: string): Buffer | null {
    const text = this.files.get(path);
    return text === undefined ? null : Buffer.from(text);
  }
  create(path: string, text: string): void {
    if (this.exists(path)) throw new Error(`${path} exists`);
    this.files.set(path, text);
  }
  overwrite(path: string, text: string): void {
    if (!this.exists(path)) throw new Error(`${path} does not exist`);
    this.files.set(path, text);
  }
}

const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
bootstrap();
`;

const APP_MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';

@Module({
  imports: [],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`;

const PACKAGE = { name: 'app', dependencies: { '@nestjs/core': '^11.0.1', rxjs: '^7.8.1' } };

/** A project as `nest new` makes it, with some files in another shape. */
function project(changes: Record<string, string> = {}, manifest: object = PACKAGE): MemoryTree {
  return new MemoryTree({
    '/package.json': JSON.stringify(manifest, null, 2),
    '/nest-cli.json': JSON.stringify({ sourceRoot: 'src' }),
    '/src/main.ts': MAIN,
    '/src/app.module.ts': APP_MODULE,
    ...changes,
  });
}

function run(tree: MemoryTree, options: Options = {}): { tree: MemoryTree; log: string; tasks: unknown[] } {
  const lines: string[] = [];
  const tasks: unknown[] = [];
  const context = {
    logger: { info: (line: string) => lines.push(line) },
    addTask: (task: { toConfiguration(): unknown }) => tasks.push(task.toConfiguration()),
  };
  nestAdd(options)(tree, context);
  return { tree, log: lines.join('\n'), tasks };
}

const manifestOf = (tree: MemoryTree): { dependencies: Record<string, string> } =>
  JSON.parse(tree.files.get('/package.json') ?? '{}') as { dependencies: Record<string, string> };

describe('nest add', () => {
  it('registers the module with the credentials from the environment', () => {
    const { tree, tasks, log } = run(project());
    expect(tree.files.get('/src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { FeishuAuthModule } from 'nestjs-feishu-auth';

@Module({
  imports: [
    FeishuAuthModule.forRoot({
      appId: process.env.FEISHU_APP_ID!,
      appSecret: process.env.FEISHU_APP_SECRET!,
    }),
  ],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`);
    expect(tree.files.get('/src/main.ts')).toBe(MAIN);
    expect(tree.files.get('/.env.example')).toBe('FEISHU_APP_ID=\nFEISHU_APP_SECRET=\n');
    expect(Object.keys(manifestOf(tree).dependencies)).toEqual([
      '@nestjs/core',
      'nestjs-feishu-auth',
      'rxjs',
    ]);
    expect(tasks).toEqual([{ name: 'node-package', options: { packageManager: 'npm', command: 'install' } }]);
    expect(log).toContain('FEISHU_APP_SECRET');
  });

  it('changes nothing when it runs again', () => {
    const { tree } = run(project(), { health: true, webhook: true, login: true });
    const before = new Map(tree.files);
    const { tasks, log } = run(tree, { webhook: true });
    expect(tree.files).toEqual(before);
    expect(tasks).toEqual([]);
    expect(log).toContain('has FeishuAuthModule already');
    // What was asked for can still be pasted.
    expect(log).toContain("webhookPath: 'feishu/events',");
  });

  it('adds health, events and login, each with its files, settings and variables', () => {
    const { tree } = run(project(), { health: true, webhook: true, login: true, domain: 'lark' });
    const module = tree.files.get('/src/app.module.ts');
    for (const part of [
      "import { FeishuAuthModule, FileUserTokenStore } from 'nestjs-feishu-auth';",
      "import { TerminusModule } from '@nestjs/terminus';",
      "import { HealthController } from './health/health.controller';",
      "domain: 'lark',",
      "webhookPath: 'feishu/events',",
      "loginPath: 'feishu/login',",
      'controllers: [AppController, HealthController],',
      'providers: [AppService, FeishuEvents, FeishuLogin],',
    ]) {
      expect(module).toContain(part);
    }
    expect(tree.files.get('/src/main.ts')).toContain('NestFactory.create(AppModule, { rawBody: true })');
    expect([...tree.files.keys()]).toEqual(
      expect.arrayContaining([
        '/src/health/health.controller.ts',
        '/src/feishu/feishu-events.ts',
        '/src/feishu/feishu-login.ts',
      ]),
    );
    expect(tree.files.get('/.gitignore')).toBe('.feishu-logins\n');
    expect(manifestOf(tree).dependencies['@nestjs/terminus']).toBe('^11.0.0');
  });

  it('takes the peers of Nest 12, and names files as ES modules do, in such a project', () => {
    const manifest = { name: 'app', type: 'module', dependencies: { '@nestjs/core': '^12.0.1' } };
    const files = {
      '/src/main.ts': MAIN.replace('./app.module', './app.module.js'),
      '/src/app.module.ts': APP_MODULE.replaceAll(/'(\.\/[\w.]+)'/g, "'$1.js'"),
    };
    const { tree } = run(project(files, manifest), { health: true });
    expect(tree.files.get('/src/app.module.ts')).toContain("from './health/health.controller.js';");
    expect(manifestOf(tree).dependencies['@nestjs/terminus']).toBe('^12.0.0');
  });

  it('keeps what is there: imports of the module’s own, variables, dependencies', () => {
    const { tree, tasks } = run(
      project(
        {
          '/.env.example': 'PORT=3000\nFEISHU_APP_ID=cli_of_the_team',
          '/src/app.module.ts': APP_MODULE.replace(
            'imports: []',
            'imports: [\n    ConfigModule.forRoot(),\n    OtherModule,\n  ]',
          ),
          '/pnpm-lock.yaml': '',
        },
        { ...PACKAGE, dependencies: { ...PACKAGE.dependencies, 'nestjs-feishu-auth': 'file:../x.tgz' } },
      ),
    );
    expect(tree.files.get('/src/app.module.ts')).toContain(
      '    ConfigModule.forRoot(),\n    OtherModule,\n    FeishuAuthModule.forRoot({',
    );
    expect(tree.files.get('/.env.example')).toBe(
      'PORT=3000\nFEISHU_APP_ID=cli_of_the_team\nFEISHU_APP_SECRET=\n',
    );
    expect(manifestOf(tree).dependencies['nestjs-feishu-auth']).toBe('file:../x.tgz');
    expect(tasks).toEqual([]);
  });

  it.each([
    ['pnpm-lock.yaml', 'pnpm'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
  ])('installs with the package manager of %s', (lockFile, packageManager) => {
    const { tasks } = run(project({ [`/${lockFile}`]: '' }));
    expect(tasks).toMatchObject([{ options: { packageManager } }]);
  });

  it('finds the root module that the entry file starts, in an application of a monorepo too', () => {
    const tree = project({
      '/nest-cli.json': JSON.stringify({
        sourceRoot: 'apps/app/src',
        projects: { second: { sourceRoot: 'apps/second/src', entryFile: 'server' } },
      }),
      '/apps/second/src/server.ts': MAIN.replaceAll('AppModule', 'SecondModule').replace(
        './app.module',
        './second.module',
      ),
      '/apps/second/src/second.module.ts': `import { Module } from '@nestjs/common';

@Module({})
export class SecondModule {}
`,
    });
    run(tree, { sourceRoot: 'apps/second/src', webhook: true });
    const module = tree.files.get('/apps/second/src/second.module.ts');
    expect(module).toContain('@Module({\n  imports: [\n    FeishuAuthModule.forRoot({');
    expect(module).toContain('  providers: [FeishuEvents],\n})');
    expect(tree.files.get('/apps/second/src/server.ts')).toContain('{ rawBody: true }');
  });

  it.each([
    ['an adapter', 'create(AppModule, new FastifyAdapter())', 'new FastifyAdapter(), { rawBody: true })'],
    ['options', 'create(AppModule, { cors: true })', 'create(AppModule, { rawBody: true, cors: true })'],
    ['rawBody', 'create(AppModule, { rawBody: true })', 'create(AppModule, { rawBody: true })'],
  ])('asks for the raw body where NestFactory.create() has %s', (_what, before, after) => {
    const { tree } = run(project({ '/src/main.ts': MAIN.replace('create(AppModule)', before) }), {
      webhook: true,
    });
    expect(tree.files.get('/src/main.ts')).toContain(after);
  });

  it.each([
    [
      'the imports are not a list',
      { '/src/app.module.ts': APP_MODULE.replace('imports: []', 'imports: modules') },
      /\/src\/app\.module\.ts: `imports` of AppModule is not a list that is written out/,
    ],
    [
      'the metadata is a variable',
      { '/src/app.module.ts': APP_MODULE.replace(/@Module\(\{.*\}\)/s, '@Module(metadata)') },
      /@Module\(\) of AppModule is not given an object/,
    ],
    [
      'the options of the application are a variable',
      { '/src/main.ts': MAIN.replace('create(AppModule)', 'create(AppModule, options)') },
      /\/src\/main\.ts: the options of NestFactory\.create\(\) are not written out/,
    ],
    [
      'a file of its name is there',
      { '/src/feishu/feishu-events.ts': 'export const mine = true;\n' },
      /\/src\/feishu\/feishu-events\.ts is there already/,
    ],
  ])('changes nothing, and says what to paste, where %s', (_situation, changes, message) => {
    const tree = project(changes);
    const before = new Map(tree.files);
    expect(() => run(tree, { webhook: true })).toThrow(message);
    expect(() => run(tree, { webhook: true })).toThrow(/appId: process\.env\.FEISHU_APP_ID!/);
    expect(() => run(tree, { webhook: true })).toThrow(/Install: npm install nestjs-feishu-auth@\^/);
    expect(tree.files).toEqual(before);
  });

  it.each([
    ['Nest 10', { dependencies: { '@nestjs/core': '^10.4.0' } }, /needs Nest 11 or 12; .* \^10\.4\.0/],
    ['no Nest', {}, /package\.json does not name @nestjs\/core/],
  ])('refuses a project with %s', (_what, manifest, message) => {
    expect(() => run(project({}, manifest))).toThrow(message);
  });

  it('says how to name the root module where it finds none', () => {
    const tree = project();
    tree.files.delete('/src/main.ts');
    tree.files.delete('/src/app.module.ts');
    expect(() => run(tree)).toThrow(/--module src\/root\.module\.ts/);
    expect(() => run(tree, { module: 'src/none.ts' })).toThrow(/There is no src\/none\.ts/);
  });

  it('is what the Nest CLI finds in package.json', () => {
    const root = new URL('../../', import.meta.url);
    const json = (path: string): Record<string, string | undefined> =>
      JSON.parse(readFileSync(new URL(path, root), 'utf8')) as Record<string, string>;
    const { schematics = '' } = json('package.json');
    const collection = json(schematics) as unknown as {
      schematics: { 'nest-add': { factory: string; schema: string } };
    };
    expect(collection.schematics['nest-add'].factory).toBe('./nest-add/index.cjs#nestAdd');
    // The CLI passes options that only it knows: the schema must not forbid them.
    expect(json('schematics/nest-add/schema.json')).not.toHaveProperty('additionalProperties');
  });
});
