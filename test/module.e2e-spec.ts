import { type DynamicModule, Inject, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AppTicketService,
  FeishuAuthHealthIndicator,
  FeishuAuthModule,
  type FeishuAuthModuleExtras,
  type FeishuAuthModuleOptions,
  type FeishuAuthOptionsFactory,
  FeishuHttpService,
  getFeishuServiceToken,
  InjectFeishuAuth,
  InjectTokenService,
  TokenPrewarmer,
  TokenService,
} from '../lib/index.js';
import { Clock, RandomSource, TestClock } from '../lib/testing/index.js';
import { whoAmI } from './fixtures/calling-feishu.js';
import { CollectingLogger } from './fixtures/collecting-logger.js';
import { SELF_BUILT, TENANT_GRANT } from './fixtures/feishu-platform.js';
import {
  failureOf,
  feishu,
  lark,
  LARK_APP,
  optionsFor,
  running,
  start,
  useEmulators,
} from './fixtures/module-apps.js';

const SERVICES: readonly Type[] = [
  TokenService,
  AppTicketService,
  TokenPrewarmer,
  FeishuAuthHealthIndicator,
  FeishuHttpService,
];

useEmulators();

@Injectable()
class OptionsFromClass implements FeishuAuthOptionsFactory {
  async createFeishuAuthOptions(): Promise<FeishuAuthModuleOptions> {
    return optionsFor();
  }
}

@Module({
  providers: [{ provide: 'SECRET_OF_THE_APP', useFactory: () => SELF_BUILT.appSecret }, OptionsFromClass],
  exports: ['SECRET_OF_THE_APP', OptionsFromClass],
})
class ConfigModule {}

/** All ways to pass options. */
const WAYS: [way: string, importing: (extras?: FeishuAuthModuleExtras) => DynamicModule][] = [
  ['forRoot', (extras) => FeishuAuthModule.forRoot({ ...optionsFor(), ...extras })],
  [
    'forRootAsync with useFactory',
    (extras) =>
      FeishuAuthModule.forRootAsync({
        imports: [ConfigModule],
        inject: ['SECRET_OF_THE_APP'],
        useFactory: async (appSecret: string) => optionsFor({ appSecret }),
        ...extras,
      }),
  ],
  [
    'forRootAsync with useClass',
    (extras) => FeishuAuthModule.forRootAsync({ useClass: OptionsFromClass, ...extras }),
  ],
  [
    'forRootAsync with useExisting',
    (extras) =>
      FeishuAuthModule.forRootAsync({ imports: [ConfigModule], useExisting: OptionsFromClass, ...extras }),
  ],
];

@Injectable()
class Consumer {
  constructor(
    readonly tokens: TokenService,
    readonly tickets: AppTicketService,
    readonly prewarmer: TokenPrewarmer,
    readonly health: FeishuAuthHealthIndicator,
    readonly http: FeishuHttpService,
  ) {}
}

@Module({ providers: [Consumer], exports: [Consumer] })
class FeatureModule {}

describe.each(WAYS)('FeishuAuthModule.%s', (_, importing) => {
  it('provides every service to every module by default', async () => {
    const app = await start([importing(), FeatureModule]);
    const consumer = app.get(Consumer, { strict: false });
    expect(consumer.tokens).toBe(app.get(TokenService));
    for (const service of SERVICES) {
      expect(Object.values(consumer).some((injected) => injected instanceof service)).toBe(true);
    }
    const token = await consumer.tokens.getTenantAccessToken();
    expect(await whoAmI(feishu.domain.open, token)).toMatchObject({
      kind: 'tenant',
      appId: SELF_BUILT.appId,
    });
    expect((await consumer.http.fetch('/open-apis/emulator/echo')).status).toBe(200);
    expect(feishu.requestsTo(TENANT_GRANT)).toHaveLength(1);
  });

  it('with isGlobal: false provides the services to importing modules only', async () => {
    const failure = await failureOf(start([importing({ isGlobal: false }), FeatureModule]));
    expect(String(failure)).toMatch(/can't resolve dependencies of the Consumer/);

    const module = importing({ isGlobal: false });
    @Module({ imports: [module], providers: [Consumer] })
    class ImportingModule {}
    const app = await start([ImportingModule]);
    expect(await app.get(Consumer, { strict: false }).tokens.getTenantAccessToken()).toMatch(/^t-/);
  });

  it('with a name provides the services under the named tokens only', async () => {
    const app = await start([importing({ name: 'b' })]);
    for (const service of SERVICES) {
      expect(app.get(getFeishuServiceToken(service, 'b'), { strict: false })).toBeInstanceOf(service);
      expect(() => app.get(service, { strict: false })).toThrow(/could not find/i);
    }
    const tokens = app.get<TokenService>(getFeishuServiceToken(TokenService, 'b'));
    expect(await tokens.getTenantAccessToken()).toMatch(/^t-/);
    expect(tokens.metrics().instance).toBe('b');
  });
});

describe('FeishuAuthModule', () => {
  it('is one instance if two modules import the same dynamic module', async () => {
    const module = FeishuAuthModule.forRoot(optionsFor());
    @Module({ imports: [module] })
    class OtherModule {}
    const app = await start([module, OtherModule]);
    expect(app.get(TokenService)).toBeInstanceOf(TokenService);
  });

  it('uses the name default for the unnamed instance', async () => {
    const app = await start([FeishuAuthModule.forRoot(optionsFor())]);
    expect(app.get(TokenService).metrics().instance).toBe('default');
    expect(app.get(getFeishuServiceToken(TokenService))).toBe(app.get(TokenService));
    expect(app.get(getFeishuServiceToken(TokenService, 'default'))).toBe(app.get(TokenService));
  });

  describe('with two instances', () => {
    @Injectable()
    class TwoDomains {
      constructor(
        readonly own: TokenService,
        @InjectTokenService() readonly same: TokenService,
        @InjectTokenService('b') readonly other: TokenService,
        @InjectFeishuAuth(FeishuHttpService, 'b') readonly otherHttp: FeishuHttpService,
        @Inject(getFeishuServiceToken(AppTicketService, 'b')) readonly otherTickets: AppTicketService,
      ) {}
    }

    it('separates two apps on two domains', async () => {
      const app = await start(
        [
          FeishuAuthModule.forRoot(optionsFor()),
          FeishuAuthModule.forRootAsync({
            name: 'b',
            useFactory: () => ({ ...LARK_APP, domain: lark.domain, prewarm: false as const }),
          }),
        ],
        [TwoDomains],
      );
      const { own, same, other, otherHttp, otherTickets } = app.get(TwoDomains);
      expect(same).toBe(own);
      expect(other).not.toBe(own);
      expect(otherTickets).not.toBe(app.get(AppTicketService));

      const [ours, theirs] = [await own.getTenantAccessToken(), await other.getTenantAccessToken()];
      expect(await whoAmI(feishu.domain.open, ours)).toMatchObject({ appId: SELF_BUILT.appId });
      expect(await whoAmI(lark.domain.open, theirs)).toMatchObject({ appId: LARK_APP.appId });
      const response = await otherHttp.fetch('/open-apis/emulator/echo');
      expect(new URL(response.url).origin).toBe(lark.domain.open);

      expect(own.metrics()).toMatchObject({ instance: 'default', kinds: { tenant: { tokens: 1 } } });
      expect(other.metrics()).toMatchObject({ instance: 'b', kinds: { tenant: { tokens: 1 } } });
      expect(await own.invalidate({ kind: 'tenant' }, theirs)).toBe(false);
    });

    it.each<[string, FeishuAuthModuleExtras, FeishuAuthModuleExtras, who: string]>([
      ['without names', {}, {}, 'two instances have no name'],
      [
        'of which one is named default and one has no name',
        { name: 'default' },
        {},
        'two instances have no name',
      ],
      ['with the same name', { name: 'b' }, { name: 'b' }, "two instances have the name 'b'"],
    ])('%s does not start and explains how to name one', async (_, first, second, who) => {
      for (const [, importing] of WAYS) {
        const failure = await failureOf(
          start([importing(first), FeishuAuthModule.forRoot({ ...optionsFor(), ...second })]),
        );
        expect(failure).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
        expect(failure).toHaveProperty('message', expect.stringContaining(who));
        expect(failure).toHaveProperty(
          'message',
          expect.stringMatching(/forRoot\(\{ \.\.\., name: 'other' \}\).*@InjectTokenService\('other'\)/),
        );
      }
    });

    it('starts three with different names', async () => {
      const app = await start([
        FeishuAuthModule.forRoot(optionsFor()),
        FeishuAuthModule.forRoot({ ...optionsFor(), name: 'b' }),
        FeishuAuthModule.forRoot({ ...optionsFor(), name: 'c' }),
      ]);
      const services = [undefined, 'b', 'c'].map((name) =>
        app.get<TokenService>(getFeishuServiceToken(TokenService, name), { strict: false }),
      );
      expect(new Set(services).size).toBe(3);
    });
  });

  it('uses the Clock and RandomSource of a testing module', async () => {
    const clock = new TestClock(Date.UTC(2030, 0, 1));
    let draws = 0;
    class Countable extends RandomSource {
      next(): number {
        draws++;
        return 0;
      }
    }
    const app = await Test.createTestingModule({ imports: [FeishuAuthModule.forRoot(optionsFor())] })
      .setLogger(new CollectingLogger())
      .overrideProvider(Clock)
      .useValue(clock)
      .overrideProvider(RandomSource)
      .useClass(Countable)
      .compile();
    running.push(app);
    await app.init();
    const tokens = app.get(TokenService);
    expect(tokens.metrics().since).toBe('2030-01-01T00:00:00.000Z');
    expect(draws).toBeGreaterThan(0);
    const token = await tokens.getToken({ kind: 'tenant' });
    expect(token.obtainedAt).toEqual(new Date(Date.UTC(2030, 0, 1)));
    await clock.advance(7_200_000 - 10_000);
    expect(tokens.handle({ kind: 'tenant' }).peek()).toBeUndefined();
  });
});
