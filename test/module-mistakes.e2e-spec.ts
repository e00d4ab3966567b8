import { type DynamicModule } from '@nestjs/common';
import {
  AppTicketService,
  FeishuAuthModule,
  type FeishuAuthModuleOptions,
  type TokenQuery,
  TokenService,
} from '../lib/index.js';
import { SELF_BUILT, TENANT_GRANT } from './fixtures/feishu-platform.js';
import { type AppType } from '../lib/platform/app-type.js';

import { failureOf, feishu, optionsFor, start, STORE_OPTIONS, useEmulators } from './fixtures/module-apps.js';

useEmulators();

describe('FeishuAuthModule with wrong options', () => {
  const WRONG = { ...SELF_BUILT, maxTokens: -1 };

  it.each<[string, () => DynamicModule]>([
    ['forRoot', () => FeishuAuthModule.forRoot(WRONG)],
    ['forRootAsync', () => FeishuAuthModule.forRootAsync({ useFactory: async () => WRONG })],
  ])('with %s does not start and names option, problem and instance', async (_, importing) => {
    const failure = await failureOf(start([importing()]));
    expect(failure).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
    expect(String(failure)).toMatch(/instance 'default'.*\n.*- maxTokens: must be a positive number/);
  });

  it('does not start without a secret', async () => {
    const options = { appId: 'cli_a' } as FeishuAuthModuleOptions;
    const failure = await failureOf(start([FeishuAuthModule.forRoot({ ...options, name: 'b' })]));
    expect(String(failure)).toMatch(/instance 'b'.*\n.*- appSecret: is required/);
  });

  it('does not start if the factory returns nothing, and passes on an error of the factory', async () => {
    const none = FeishuAuthModule.forRootAsync({
      useFactory: () => undefined as unknown as FeishuAuthModuleOptions,
    });
    expect(await failureOf(start([none]))).toMatchObject({ code: 'ERR_FEISHU_CONFIG_INVALID' });
    const vault = new Error('the vault is sealed');
    const failing = FeishuAuthModule.forRootAsync({ useFactory: () => Promise.reject(vault) });
    expect(await failureOf(start([failing]))).toBe(vault);
  });

  it('refuses a name from the factory', async () => {
    const useFactory = (): FeishuAuthModuleOptions => ({ ...optionsFor(), ...{ name: 'b' } });
    const failure = await failureOf(start([FeishuAuthModule.forRootAsync({ useFactory })]));
    expect(String(failure)).toContain('name: unknown option');
  });
});

describe('wrong arguments', () => {
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
  ])('%s for a %s app: handle() throws, promises reject', async (_, appType, wrong) => {
    const app = await start([FeishuAuthModule.forRoot(optionsFor(appType === 'store' ? STORE_OPTIONS : {}))]);
    const tokens = app.get(TokenService);
    const query = wrong as TokenQuery;
    expect(() => tokens.handle(query)).toThrow(refused);
    // Called before the await: a synchronous throw would fail the test here.
    const asked = [tokens.getToken(query), tokens.refresh(query), tokens.invalidate(query, 't-1')];
    for (const asking of asked) await expect(asking).rejects.toEqual(refused);
    expect(feishu.requests).toEqual([]);
  });

  it('getTenantAccessToken() rejects a tenant key of the wrong app type', async () => {
    const selfBuilt = (await start([FeishuAuthModule.forRoot(optionsFor())])).get(TokenService);
    await expect(selfBuilt.getTenantAccessToken({ tenantKey: 'tenant_a' })).rejects.toEqual(refused);
    const store = (await start([FeishuAuthModule.forRoot(optionsFor(STORE_OPTIONS))])).get(TokenService);
    await expect(store.getTenantAccessToken()).rejects.toEqual(refused);
    await expect(store.getTenantAccessToken({ tenantKey: 'a b' })).rejects.toEqual(refused);
    expect(feishu.requests).toEqual([]);
  });

  it.each([-1, 1_800_000, 7_200_000, Number.NaN, Infinity])(
    'minValidityMs of %p is rejected with and without a held token',
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

  it('a ticket for a self-built app is rejected', async () => {
    const tickets = (await start([FeishuAuthModule.forRoot(optionsFor())])).get(AppTicketService);
    await expect(tickets.set('ticket-1')).rejects.toEqual(refused);
    await expect(tickets.waitForTicket()).rejects.toEqual(refused);
    expect(feishu.requests).toEqual([]);
  });
});
