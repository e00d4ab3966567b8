import { type DynamicModule, Inject, Injectable, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
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
  type TokenQuery,
  TokenService,
} from '../lib/index.js';
import { Clock, FeishuEmulator, RandomSource, TestClock } from '../lib/testing/index.js';
import { whoAmI } from './fixtures/calling-feishu.js';
import { CollectingLogger } from './fixtures/collecting-logger.js';
import { SELF_BUILT, startPlatform, STORE, TENANT_GRANT } from './fixtures/feishu-platform.js';
import { closeApps } from './fixtures/close-apps.js';
import { type AppType } from '../lib/platform/app-type.js';

const SERVICES: readonly Type[] = [
  TokenService,
  AppTicketService,
  TokenPrewarmer,
  FeishuAuthHealthIndicator,
  FeishuHttpService,
];

let feishu: FeishuEmulator;
let lark: FeishuEmulator;
const LARK_APP = { appId: 'cli_lark', appSecret: 'the-secret-of-the-lark-app' } as const;
const running: TestingModule[] = [];

beforeAll(async () => {
  feishu = await startPlatform();
  lark = await FeishuEmulator.start({ apps: [LARK_APP] });
});
afterEach(async () => {
  await closeApps(running);
  feishu.requests.length = 0;
  lark.requests.length = 0;
});
afterAll(async () => {
  await feishu.stop();
  await lark.stop();
});

function optionsFor(more: Partial<FeishuAuthModuleOptions> = {}): FeishuAuthModuleOptions {
  return { ...SELF_BUILT, domain: feishu.domain, prewarm: false, ...more };
}

async function start(imports: (DynamicModule | Type)[], providers: Type[] = []): Promise<TestingModule> {
  const app = await Test.createTestingModule({ imports, providers })
    .setLogger(new CollectingLogger())
    .compile();
  running.push(app);
  await app.init();
  return app;
}

/** What a start failed with. */
async function failureOf(starting: Promise<TestingModule>): Promise<unknown> {
  return starting.then(
    () => {
      throw new Error('the application started');
    },
    (error: unknown) => error,
  );
}

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

/** Every way to give options. */
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
  it('provides every service, to every module unless told otherwise', async () => {
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

  it('with isGlobal: false provides only to who imports it', async () => {
    const failure = await failureOf(start([importing({ isGlobal: false }), FeatureModule]));
    expect(String(failure)).toMatch(/can't resolve dependencies of the Consumer/);

    const module = importing({ isGlobal: false });
    @Module({ imports: [module], providers: [Consumer] })
    class ImportingModule {}
    const app = await start([ImportingModule]);
    expect(await app.get(Consumer, { strict: false }).tokens.getTenantAccessToken()).toMatch(/^t-/);
  });

  it('with a name provides its services under their named tokens only', async () => {
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
  it('is one instance when one dynamic module is imported in two places', async () => {
    const module = FeishuAuthModule.forRoot(optionsFor());
    @Module({ imports: [module] })
    class OtherModule {}
    const app = await start([module, OtherModule]);
    expect(app.get(TokenService)).toBeInstanceOf(TokenService);
  });

  it('says default for the instance without a name', async () => {
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

    it('keeps two apps on two domains apart', async () => {
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
        'with one called default and one without a name',
        { name: 'default' },
        {},
        'two instances have no name',
      ],
      ['of one name', { name: 'b' }, { name: 'b' }, "two instances have the name 'b'"],
    ])('%s does not start, and says how to name one', async (_, first, second, who) => {
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

    it('starts three of different names', async () => {
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

  describe('with wrong options', () => {
    const WRONG = { ...SELF_BUILT, maxTokens: -1 };

    it.each<[string, () => DynamicModule]>([
      ['forRoot', () => FeishuAuthModule.forRoot(WRONG)],
      ['forRootAsync', () => FeishuAuthModule.forRootAsync({ useFactory: async () => WRONG })],
    ])('does not start from %s, and says which, why and of which instance', async (_, importing) => {
      const failure = await failureOf(start([importing()]));
      expect(failure).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
      expect(String(failure)).toMatch(/instance 'default'.*\n.*- maxTokens: must be a positive number/);
    });

    it('does not start without a secret, though the types say there is one', async () => {
      const options = { appId: 'cli_a' } as FeishuAuthModuleOptions;
      const failure = await failureOf(start([FeishuAuthModule.forRoot({ ...options, name: 'b' })]));
      expect(String(failure)).toMatch(/instance 'b'.*\n.*- appSecret: is required/);
    });

    it('does not start when the factory gives none, and lets its own error through', async () => {
      const none = FeishuAuthModule.forRootAsync({
        useFactory: () => undefined as unknown as FeishuAuthModuleOptions,
      });
      expect(await failureOf(start([none]))).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
      const vault = new Error('the vault is sealed');
      const failing = FeishuAuthModule.forRootAsync({ useFactory: () => Promise.reject(vault) });
      expect(await failureOf(start([failing]))).toBe(vault);
    });

    it('does not take the name from the factory', async () => {
      const useFactory = (): FeishuAuthModuleOptions => ({ ...optionsFor(), ...{ name: 'b' } });
      const failure = await failureOf(start([FeishuAuthModule.forRootAsync({ useFactory })]));
      expect(String(failure)).toContain('name: unknown option');
    });
  });

  describe('when the application is closed', () => {
    it('gives out nothing any more', async () => {
      const app = await start([FeishuAuthModule.forRoot(optionsFor())]);
      const tokens = app.get(TokenService);
      const handle = tokens.handle({ kind: 'tenant' });
      const token = await handle.get();
      expect(handle.peek()).toBe(token);
      await app.close();

      expect(handle.peek()).toBeUndefined();
      expect(await tokens.invalidate({ kind: 'tenant' }, token)).toBe(false);
      feishu.requests.length = 0;
      for (const asking of [
        handle.get(),
        tokens.getTenantAccessToken(),
        tokens.getAppAccessToken(),
        tokens.getToken({ kind: 'tenant' }),
        tokens.refresh({ kind: 'tenant' }),
        tokens.handle({ kind: 'app' }).get(),
        app.get(FeishuHttpService).fetch('/open-apis/emulator/echo'),
      ]) {
        await expect(asking).rejects.toMatchObject({ code: 'ERR_FEISHU_CLOSED', retryable: false });
      }
      expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
      expect(feishu.requests).toEqual([]);
    });

    it('leaves no timer behind, not even with a renewal under way', async () => {
      const clock = new TestClock();
      const module = FeishuAuthModule.forRoot(
        optionsFor({ prewarm: {}, fetch: () => new Promise(() => undefined) }),
      );
      const app = await Test.createTestingModule({ imports: [module] })
        .setLogger(new CollectingLogger())
        .overrideProvider(Clock)
        .useValue(clock)
        .compile();
      await app.init();
      const asking = app
        .get(TokenService)
        .getTenantAccessToken()
        .catch((error: unknown) => error);
      await clock.advance(100);
      const closing = app.close();
      await clock.advance(1_000);
      await closing;
      expect(await asking).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
      await TestClock.settle();
      expect(clock.pendingTimers).toBe(0);
    });

    it('ends the wait for a ticket', async () => {
      const app = await start([FeishuAuthModule.forRoot(optionsFor({ ...STORE_OPTIONS }))]);
      const waiting = app
        .get(AppTicketService)
        .waitForTicket()
        .catch((error: unknown) => error);
      await app.close();
      expect(await waiting).toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    });
  });

  describe('with wrong arguments', () => {
    const refused = expect.objectContaining({
      code: 'ERR_FEISHU_INVALID_ARGUMENT',
      retryable: false,
    }) as Error;

    it.each<[string, AppType, unknown]>([
      ['no query', 'self-built', undefined],
      ['an unknown kind', 'self-built', { kind: 'user' }],
      ['a tenant key', 'self-built', { kind: 'tenant', tenantKey: 'tenant_a' }],
      ['no tenant key', 'store', { kind: 'tenant' }],
      ['an empty tenant key', 'store', { kind: 'tenant', tenantKey: '' }],
      ['a malformed tenant key', 'store', { kind: 'tenant', tenantKey: 'a:b' }],
      ['a tenant key too long', 'store', { kind: 'tenant', tenantKey: 'x'.repeat(129) }],
    ])('such as %s for a %s app: handle() throws, promises reject', async (_, appType, wrong) => {
      const app = await start([
        FeishuAuthModule.forRoot(optionsFor(appType === 'store' ? STORE_OPTIONS : {})),
      ]);
      const tokens = app.get(TokenService);
      const query = wrong as TokenQuery;
      expect(() => tokens.handle(query)).toThrow(refused);
      // Called first, awaited later: a synchronous throw would end the test here.
      const asked = [tokens.getToken(query), tokens.refresh(query), tokens.invalidate(query, 't-1')];
      for (const asking of asked) await expect(asking).rejects.toEqual(refused);
      expect(feishu.requests).toEqual([]);
    });

    it('such as a tenant key of the wrong app type in getTenantAccessToken()', async () => {
      const selfBuilt = (await start([FeishuAuthModule.forRoot(optionsFor())])).get(TokenService);
      await expect(selfBuilt.getTenantAccessToken({ tenantKey: 'tenant_a' })).rejects.toEqual(refused);
      const store = (await start([FeishuAuthModule.forRoot(optionsFor(STORE_OPTIONS))])).get(TokenService);
      await expect(store.getTenantAccessToken()).rejects.toEqual(refused);
      await expect(store.getTenantAccessToken({ tenantKey: 'a b' })).rejects.toEqual(refused);
      expect(feishu.requests).toEqual([]);
    });

    it.each([-1, 1_800_000, 7_200_000, Number.NaN, Infinity])(
      'such as minValidityMs of %p, whether or not a token is held',
      async (minValidityMs) => {
        const tokens = (await start([FeishuAuthModule.forRoot(optionsFor())])).get(TokenService);
        for (let round = 0; round < 2; round++) {
          const asked = [
            tokens.getTenantAccessToken({ minValidityMs }),
            tokens.getAppAccessToken({ minValidityMs }),
            tokens.getToken({ kind: 'tenant' }, { minValidityMs }),
            tokens.handle({ kind: 'tenant' }).get({ minValidityMs }),
          ];
          for (const asking of asked) await expect(asking).rejects.toEqual(refused);
          await tokens.getTenantAccessToken({ minValidityMs: 1_799_999 });
        }
        expect(feishu.requestsTo(TENANT_GRANT)).toHaveLength(1);
      },
    );

    it('such as a ticket for a self-built app', async () => {
      const tickets = (await start([FeishuAuthModule.forRoot(optionsFor())])).get(AppTicketService);
      await expect(tickets.set('ticket-1')).rejects.toEqual(refused);
      await expect(tickets.waitForTicket()).rejects.toEqual(refused);
      expect(feishu.requests).toEqual([]);
    });
  });

  it('takes another Clock and RandomSource from a testing module', async () => {
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

const STORE_OPTIONS = { appId: STORE.appId, appSecret: STORE.appSecret, appType: 'store' } as const;
