import { type DynamicModule, Injectable, Module, type Provider, Scope } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  FeishuAuthModule,
  type FeishuAuthModuleExtras,
  type FeishuAuthModuleOptions,
  FeishuLoginService,
  InMemoryUserTokenStore,
  OnFeishuLogin,
} from '../lib/index.js';
import { Reception, WEB_APP } from './fixtures/login-app.js';

const store = new InMemoryUserTokenStore();
const REDIRECT_URI = 'https://app.example.test/auth/feishu/callback';
const OPTIONS: FeishuAuthModuleOptions = {
  ...WEB_APP,
  prewarm: false,
  users: { store, redirectUri: REDIRECT_URI },
};

function instance(
  options: Partial<FeishuAuthModuleOptions> = {},
  extras: FeishuAuthModuleExtras = {},
): DynamicModule {
  return FeishuAuthModule.forRoot({ ...OPTIONS, ...options, loginPath: 'auth/feishu', ...extras });
}

async function start(
  imports: DynamicModule[],
  providers: Provider[] = [Reception],
): Promise<FeishuLoginService> {
  @Module({ imports, providers })
  class WebModule {}
  const module = await Test.createTestingModule({ imports: [WebModule] }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.init();
  const service = app.get(FeishuLoginService);
  await app.close();
  return service;
}

describe('the start of an application with loginPath', () => {
  it('succeeds with users and one handler, in a provider of any module', async () => {
    await expect(start([instance()])).resolves.toBeInstanceOf(FeishuLoginService);
  });

  @Injectable()
  class Twice extends Reception {
    @OnFeishuLogin()
    again(): void {}
  }
  @Injectable({ scope: Scope.REQUEST })
  class PerRequest extends Reception {}
  @Injectable({ scope: Scope.TRANSIENT })
  class Transient extends Reception {}
  @Injectable()
  class OfNobody {
    @OnFeishuLogin({ name: 'lark' })
    onLogin(): void {}
  }

  it.each<[string, () => DynamicModule[], Provider[], string]>([
    [
      'without users',
      () => [FeishuAuthModule.forRoot({ ...WEB_APP, loginPath: 'auth/feishu' })],
      [Reception],
      'loginPath: requires users: { store }',
    ],
    [
      'with parameters in the path',
      () => [instance({}, { loginPath: 'auth/:kind' })],
      [Reception],
      'loginPath: must be a path',
    ],
    ['with an empty path', () => [instance({}, { loginPath: '' })], [Reception], 'loginPath: must be a path'],
    [
      'without a handler',
      () => [instance()],
      [],
      'loginPath: no method of the unnamed instance receives the users; put @OnFeishuLogin()',
    ],
    [
      'with two handlers',
      () => [instance()],
      [Twice],
      'Twice.again and Twice.onLogin: the unnamed instance needs exactly one',
    ],
    [
      'with a request-scoped handler',
      () => [instance()],
      [PerRequest],
      'request-scoped and transient providers cannot handle logins',
    ],
    [
      'with a transient handler',
      () => [instance()],
      [Transient, { provide: 'x', useFactory: () => 1, inject: [Transient] }],
      'request-scoped and transient providers cannot handle logins',
    ],
    [
      'with a handler of an instance that does not exist',
      () => [instance()],
      [Reception, OfNobody],
      "there is no instance named 'lark'",
    ],
    [
      'with a path that another instance has',
      () => [instance(), instance({}, { name: 'lark', loginPath: '/auth/feishu/' })],
      [Reception, OfNobody],
      'two instances have the path',
    ],
  ])('fails %s, and says how to fix it', async (_, imports, providers, message) => {
    const failure = await start(imports(), providers).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'ERR_FEISHU_CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('fails with a handler and no loginPath', async () => {
    await expect(start([FeishuAuthModule.forRoot(OPTIONS)])).rejects.toMatchObject({
      code: 'ERR_FEISHU_CONFIG_INVALID',
      message: expect.stringContaining(
        '@OnFeishuLogin() on Reception.onLogin: the unnamed instance has no loginPath',
      ),
    });
  });

  it('takes the path from forRootAsync too', async () => {
    const module = FeishuAuthModule.forRootAsync({ useFactory: () => OPTIONS, loginPath: 'auth/feishu' });
    await expect(start([module])).resolves.toBeInstanceOf(FeishuLoginService);
  });
});

it('@OnFeishuLogin() is for methods only', () => {
  const decorate = OnFeishuLogin() as (target: object, key: string, descriptor: PropertyDescriptor) => void;
  expect(() => decorate({}, 'field', { value: 1 })).toThrow('@OnFeishuLogin() is for methods');
});
