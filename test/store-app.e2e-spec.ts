import { Test, type TestingModule } from '@nestjs/testing';
import { createCache, type Cache } from 'cache-manager';
import {
  AppTicketService,
  FeishuAuthModule,
  type FeishuAuthModuleOptions,
  TokenService,
} from '../lib/index.js';
import { Clock, type FeishuEmulator, TestClock } from '../lib/testing/index.js';
import { whoAmI } from './fixtures/calling-feishu.js';
import { CollectingLogger } from './fixtures/collecting-logger.js';
import { startPlatform, STORE, until } from './fixtures/feishu-platform.js';

const RESEND = '/open-apis/auth/v3/app_ticket/resend';
const APP_GRANT = '/open-apis/auth/v3/app_access_token';
const TENANT_GRANT = '/open-apis/auth/v3/tenant_access_token';

let emulator: FeishuEmulator;
let running: TestingModule[] = [];

beforeEach(async () => {
  emulator = await startPlatform();
});
afterEach(async () => {
  for (const app of running) await app.close();
  running = [];
  await emulator.stop();
});

async function start(options: Partial<FeishuAuthModuleOptions> = {}, clock?: Clock): Promise<TestingModule> {
  const { appId, appSecret } = STORE;
  const builder = Test.createTestingModule({
    imports: [
      FeishuAuthModule.forRoot({
        appId,
        appSecret,
        appType: 'store',
        domain: emulator.domain,
        prewarm: false,
        ...options,
      }),
    ],
  }).setLogger(new CollectingLogger());
  if (clock) builder.overrideProvider(Clock).useValue(clock);
  const app = await builder.compile();
  running.push(app);
  await app.init();
  return app;
}

/** Does what an application's event endpoint does: passes on the tickets that the platform pushes. */
function deliverTicketsTo(app: TestingModule): () => void {
  const tickets = app.get(AppTicketService);
  return emulator.tickets.on(({ appTicket }) => void tickets.set(appTicket));
}

/** An application that has its ticket. */
async function startWithTicket(options?: Partial<FeishuAuthModuleOptions>): Promise<TestingModule> {
  const app = await start(options);
  await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
  return app;
}

const codesOf = (path: string): number[] => emulator.requestsTo(path).map(({ code }) => code);
const paths = (): string[] => emulator.requests.map(({ path }) => path);
const tenantToken = (app: TestingModule, tenantKey: string): Promise<string> =>
  app.get(TokenService).getTenantAccessToken({ tenantKey });

describe('a store app', () => {
  it('gets from nothing to a tenant token: the ticket, the app token, the tenant token', async () => {
    const app = await start();
    deliverTicketsTo(app);
    const token = await tenantToken(app, 'tenant_a');
    expect(paths()).toEqual([RESEND, APP_GRANT, TENANT_GRANT]);
    expect(await whoAmI(emulator.domain.open, token)).toEqual({
      kind: 'tenant',
      appId: STORE.appId,
      tenantKey: 'tenant_a',
    });
    const own = await app.get(TokenService).getAppAccessToken();
    expect(await whoAmI(emulator.domain.open, own)).toMatchObject({ kind: 'app', appId: STORE.appId });
    expect(codesOf(APP_GRANT)).toEqual([0]);
  });

  it("fetches the app token once for many tenants, and each tenant's once for many callers", async () => {
    const app = await startWithTicket();
    const keys = Array.from({ length: 20 }, (_, i) => `tenant_${i}`);
    for (const key of keys) emulator.apps.addTenant(STORE.appId, key);
    const callers = [...keys, ...keys, ...keys];
    const tokens = await Promise.all(callers.map((key) => tenantToken(app, key)));
    expect(new Set(tokens).size).toBe(20);
    expect(tokens[0]).toBe(tokens[20]);
    expect(codesOf(APP_GRANT)).toEqual([0]);
    expect(codesOf(TENANT_GRANT)).toEqual(keys.map(() => 0));
    expect(codesOf(RESEND)).toEqual([]);
  });

  it('refuses the tenant that has not installed it, and serves the others', async () => {
    const app = await startWithTicket();
    await expect(tenantToken(app, 'tenant_x')).rejects.toMatchObject({
      code: 'ERR_FEISHU_TENANT_REJECTED',
      feishuCode: 99991665,
      retryable: false,
    });
    expect(await tenantToken(app, 'tenant_a')).toMatch(/^t-/);
    await expect(tenantToken(app, 'tenant_x')).rejects.toMatchObject({ code: 'ERR_FEISHU_TENANT_REJECTED' });
    expect(codesOf(TENANT_GRANT)).toEqual([99991665, 0]);
    expect(codesOf(APP_GRANT)).toEqual([0]);
  });

  describe('that restarts', () => {
    let cache: Cache;
    beforeEach(() => {
      cache = createCache();
    });

    it('has its ticket from the cache, and needs no other', async () => {
      await (await startWithTicket({ cache })).close();
      const app = await start({ cache });
      expect(await tenantToken(app, 'tenant_a')).toMatch(/^t-/);
      expect(paths()).toEqual([APP_GRANT, TENANT_GRANT]);
    });

    it('has its tokens from the cache as well', async () => {
      const before = await startWithTicket({ cache });
      const token = await tenantToken(before, 'tenant_a');
      await before.close();
      emulator.requests.length = 0;
      expect(await tenantToken(await start({ cache }), 'tenant_a')).toBe(token);
      expect(paths()).toEqual([]);
    });

    it('asks for the ticket again without a cache that outlives it', async () => {
      await (await startWithTicket()).close();
      const app = await start();
      deliverTicketsTo(app);
      await tenantToken(app, 'tenant_a');
      expect(paths()).toEqual([RESEND, APP_GRANT, TENANT_GRANT]);
    });

    it('shares the ticket with another process', async () => {
      const [given, other] = [await start({ cache }), await start({ cache })];
      await given.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
      expect(await tenantToken(other, 'tenant_b')).toMatch(/^t-/);
      expect(codesOf(RESEND)).toEqual([]);
    });
  });

  describe('without a ticket', () => {
    it('asks for it once, says what is missing, and goes on as soon as it arrives', async () => {
      const clock = new TestClock();
      const app = await start({}, clock);
      const failures = Promise.allSettled(
        ['tenant_a', 'tenant_a', 'tenant_b'].map((key) => tenantToken(app, key)),
      );
      await until(() => codesOf(RESEND).includes(0));
      // A flight waits 7 s for the ticket; after the failure callers are refused for 0.25 to 0.5 s.
      await clock.advance(7_100);
      const missing = {
        code: 'ERR_FEISHU_APP_TICKET_MISSING',
        retryable: true,
        retryAt: expect.any(Date),
        message: expect.stringContaining('AppTicketService.set()'),
      };
      expect(await failures).toEqual(
        [1, 2, 3].map(() => ({ status: 'rejected', reason: expect.objectContaining(missing) })),
      );

      // Fails fast: nothing is asked, nobody waits.
      await expect(tenantToken(app, 'tenant_a')).rejects.toMatchObject(missing);
      expect(paths()).toEqual([RESEND]);

      // No time passes from here on, so no cool-down can have run out by itself.
      await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
      expect(await tenantToken(app, 'tenant_a')).toMatch(/^t-/);
      expect(await tenantToken(app, 'tenant_b')).toMatch(/^t-/);
      expect(paths()).toEqual([RESEND, APP_GRANT, TENANT_GRANT, TENANT_GRANT]);
    });

    it('serves who waits while the ticket arrives', async () => {
      const app = await start();
      const waiting = ['tenant_a', 'tenant_b'].map((key) => tenantToken(app, key));
      await until(() => codesOf(RESEND).includes(0));
      await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
      expect(await Promise.all(waiting)).toEqual([
        expect.stringMatching(/^t-/),
        expect.stringMatching(/^t-/),
      ]);
      expect(codesOf(APP_GRANT)).toEqual([0]);
    });

    it('says that the secret is wrong rather than that the ticket is missing', async () => {
      const app = await start({ appSecret: 'not-the-secret' });
      await expect(tenantToken(app, 'tenant_a')).rejects.toMatchObject({
        code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
        retryable: false,
      });
      expect(codesOf(RESEND)).toEqual([10014]);
    });
  });

  describe('with a ticket that the platform does not take', () => {
    it('asks for another, waits for it, and goes on', async () => {
      const app = await start();
      await app.get(AppTicketService).set('a-ticket-of-yesterday');
      deliverTicketsTo(app);
      expect(await tenantToken(app, 'tenant_a')).toMatch(/^t-/);
      expect(paths()).toEqual([APP_GRANT, RESEND, APP_GRANT, TENANT_GRANT]);
      expect(codesOf(APP_GRANT)).toEqual([10012, 0]);
      expect(await app.get(AppTicketService).current()).toBe(emulator.apps.ticket(STORE.appId));
    });

    it('does not take the refused one from the cache again', async () => {
      const cache = createCache();
      const app = await start({ cache });
      await app.get(AppTicketService).set('a-ticket-of-yesterday');
      const waiting = tenantToken(app, 'tenant_a');
      await until(() => codesOf(RESEND).includes(0));
      expect(await app.get(AppTicketService).current()).toBeUndefined();
      await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
      await waiting;
      expect(codesOf(APP_GRANT)).toEqual([10012, 0]);
    });

    it('takes the hourly push in its stride', async () => {
      const app = await startWithTicket();
      deliverTicketsTo(app);
      await tenantToken(app, 'tenant_a');
      emulator.tickets.push(STORE.appId);
      await tenantToken(app, 'tenant_b');
      await app.get(TokenService).refresh({ kind: 'app' });
      expect(codesOf(APP_GRANT)).toEqual([0, 0]);
      expect(codesOf(RESEND)).toEqual([]);
    });
  });

  describe('whose app token ends at the platform before its time', () => {
    it('recovers: a new app token, once, and the tenant gets its token', async () => {
      const app = await startWithTicket();
      const tokens = app.get(TokenService);
      const before = await tokens.getAppAccessToken();
      await tenantToken(app, 'tenant_a');
      emulator.revoke(before);
      expect(await tenantToken(app, 'tenant_b')).toMatch(/^t-/);
      expect(codesOf(TENANT_GRANT)).toEqual([0, 99991664, 0]);
      expect(codesOf(APP_GRANT)).toEqual([0, 0]);
      expect(await tokens.getAppAccessToken()).not.toBe(before);
      expect(tokens.metrics().kinds.app.invalidations).toBe(1);
    });

    it('costs one new app token however many tenants notice', async () => {
      const app = await startWithTicket();
      emulator.revoke(await app.get(TokenService).getAppAccessToken());
      const keys = Array.from({ length: 10 }, (_, i) => `tenant_${i}`);
      for (const key of keys) emulator.apps.addTenant(STORE.appId, key);
      const tokens = await Promise.all(keys.map((key) => tenantToken(app, key)));
      expect(new Set(tokens).size).toBe(10);
      expect(codesOf(APP_GRANT)).toEqual([0, 0]);
      expect(codesOf(TENANT_GRANT).filter((code) => code === 0)).toHaveLength(10);
    });

    it('does not go round in circles when the platform hands out the same token again', async () => {
      const app = await startWithTicket();
      emulator.revoke(await app.get(TokenService).getAppAccessToken(), { sticky: true });
      await expect(tenantToken(app, 'tenant_a')).rejects.toMatchObject({ feishuCode: 99991664 });
      expect(codesOf(APP_GRANT)).toEqual([0, 0]);
    });
  });
});
