import assert from 'node:assert/strict';
import { posix } from 'node:path';

/**
 * Registers the module by `nest add`, points it to the emulator, and adds a second instance, a route and a spec.
 *
 * @param {import('./project.mjs').Project} project
 * @param {{ sourceRoot?: string; moduleName?: string; flags?: string[]; isEsm?: boolean }} [options]
 */
export async function addFeishu(
  project,
  { sourceRoot = 'src', moduleName = 'app', flags = [], isEsm = false } = {},
) {
  const [path, js] = [`${sourceRoot}/${moduleName}.module.ts`, isEsm ? '.js' : ''];
  await project.bin('nest', 'add', 'nestjs-feishu-auth', '--skip-install', ...flags);
  const added = await project.read(path);
  await project.bin('nest', 'add', 'nestjs-feishu-auth', '--skip-install', ...flags);
  assert.equal(await project.read(path), added, 'nest add is not idempotent');

  await project.edit(path, (text) =>
    text
      .replace('appSecret: process.env.FEISHU_APP_SECRET!,\n', `$&      domain: ${DOMAIN},\n`)
      .replace('    FeishuAuthModule.forRoot({', `    FeishuAuthModule.forRoot(${SECOND}),\n$&`)
      .replace(/controllers: \[/, '$&FeishuController, ')
      .replace(/^@Module/m, `import { FeishuController } from './feishu.controller${js}';\n\n$&`),
  );
  await project.edit(`${sourceRoot}/main.ts`, (text) =>
    text.replace(/^( *)await app\.listen/m, '$1app.enableShutdownHooks();\n$&'),
  );
  await project.write(posix.join(sourceRoot, 'feishu.controller.ts'), CONTROLLER);
  await project.write(posix.join(sourceRoot, 'feishu.controller.spec.ts'), specFor(js));
}

/** What `GET /feishu` of {@link addFeishu} has to answer. */
export function assertTokens({ decorated, injected, named, refusal }) {
  assert.match(decorated, /^t-/);
  assert.equal(injected, decorated);
  assert.match(named, /^t-/);
  assert.notEqual(named, injected);
  assert.equal(refusal, true, 'isFeishuAuthError() does not recognise the error');
}

const DOMAIN = '{ open: process.env.FEISHU_ORIGIN!, accounts: process.env.FEISHU_ORIGIN! }';

const SECOND = `{
      name: 'second',
      appId: process.env.FEISHU_SECOND_APP_ID!,
      appSecret: process.env.FEISHU_SECOND_APP_SECRET!,
      domain: ${DOMAIN},
    }`;

const CONTROLLER = `import { Controller, Get } from '@nestjs/common';
import {
  FeishuAuth,
  FeishuToken,
  InjectTokenService,
  isFeishuAuthError,
  TokenService,
} from 'nestjs-feishu-auth';

@Controller('feishu')
export class FeishuController {
  constructor(
    private readonly tokens: TokenService,
    @InjectTokenService('second') private readonly second: TokenService,
  ) {}

  @FeishuAuth()
  @Get()
  async show(@FeishuToken() decorated: string) {
    const refusal = await this.tokens
      .getTenantAccessToken({ tenantKey: 'not-for-a-self-built-app' })
      .catch((error: unknown) => isFeishuAuthError(error, 'ERR_FEISHU_INVALID_ARGUMENT'));
    return {
      decorated,
      injected: await this.tokens.getTenantAccessToken(),
      named: await this.second.getTenantAccessToken(),
      refusal,
    };
  }
}
`;

/** The test kit in the project's own test runner. */
const specFor = (js) => `import { Test, TestingModule } from '@nestjs/testing';
import { FeishuAuthModule } from 'nestjs-feishu-auth';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { FeishuController } from './feishu.controller${js}';

describe('FeishuController', () => {
  const app = { appId: 'cli_spec', appSecret: 'spec-secret' };
  let emulator: FeishuEmulator;
  let module: TestingModule;

  beforeAll(async () => {
    emulator = await FeishuEmulator.start();
    emulator.apps.add(app);
    const { domain } = emulator;
    module = await Test.createTestingModule({
      imports: [
        FeishuAuthModule.forRoot({ ...app, domain }),
        FeishuAuthModule.forRoot({ ...app, domain, name: 'second' }),
      ],
      controllers: [FeishuController],
    }).compile();
    await module.init();
  });

  afterAll(async () => {
    await module?.close();
    await emulator?.stop();
  });

  it('has tokens from the emulator', async () => {
    const { injected, refusal } = await module.get(FeishuController).show('t-given');
    expect(injected).toMatch(/^t-/);
    expect(refusal).toBe(true);
  });
});
`;
