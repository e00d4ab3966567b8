import { AppTicketService, type PrewarmOptions, TokenPrewarmer, TokenService } from '../lib/index.js';
import { type FeishuEmulator, TestClock } from '../lib/testing/index.js';
import { closeApps } from './fixtures/close-apps.js';
import { startPlatform, STORE, TENANT_GRANT, until } from './fixtures/feishu-platform.js';
import { type InstanceOptions, PrewarmedApps, type PrewarmSetup } from './fixtures/prewarmed-apps.js';

const apps = new PrewarmedApps();

describe('the bootstrap', () => {
  let emulator: FeishuEmulator;
  beforeEach(async () => {
    emulator = await startPlatform();
  });
  afterEach(async () => {
    // The application first: its close would wait for a request that is not answered any more.
    await closeApps(apps.running);
    await emulator.stop();
  });

  const options = (
    onBootstrap: PrewarmOptions['onBootstrap'],
    more: InstanceOptions = {},
  ): InstanceOptions => ({
    domain: emulator.domain,
    prewarm: onBootstrap === undefined ? {} : { onBootstrap },
    ...more,
  });
  const WRONG_SECRET = { appSecret: 'not-the-secret-of-the-app' };

  async function failureOf(setup: PrewarmSetup): Promise<unknown> {
    const app = await apps.compile(setup);
    return app.init().then(
      () => {
        throw new Error('the application started');
      },
      (error: unknown) => error,
    );
  }

  it("'require' starts with a held token", async () => {
    const app = await apps.start({ instances: [options('require')] });
    expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(1);
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toMatch(/^t-/);
  });

  it("'require' with a wrong secret fails the start with the reason", async () => {
    const failure = await failureOf({ instances: [options('require', WRONG_SECRET)] });
    expect(failure).toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      retryable: false,
      feishuCode: 10014,
    });
    const { message } = failure as Error;
    expect(message).toMatch(/instance 'default'.*onBootstrap is 'require'.*10014.*check appId and appSecret/);
    expect(message).not.toContain(WRONG_SECRET.appSecret);
  });

  it("'require' names the instance that failed the start", async () => {
    const failure = await failureOf({ instances: [options('require', { ...WRONG_SECRET, name: 'b' })] });
    expect(String(failure)).toContain("instance 'b'");
  });

  it("'require' survives a transient failure of Feishu", async () => {
    emulator.faults.add({ times: 1, status: 503 });
    await apps.start({ instances: [options('require')] });
    expect(emulator.requestsTo(TENANT_GRANT).map(({ status }) => status)).toEqual([503, 200]);
  });

  it("'require' of a store app without a ticket checks the secret, and warns that it did not check the token", async () => {
    const store = { appId: STORE.appId, appType: 'store', appSecret: STORE.appSecret } as const;
    await apps.start({ instances: [options('require', store)] });
    expect(emulator.requests.map(({ path }) => path)).toEqual(['/open-apis/auth/v3/app_ticket/resend']);
    expect(apps.logger.lines).toContainEqual(
      expect.stringMatching(/^warn prewarm.onBootstrap 'require': no app_ticket yet/),
    );
    const failure = await failureOf({ instances: [options('require', { ...store, ...WRONG_SECRET })] });
    expect(failure).toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED' });
    expect(String(failure)).toContain("onBootstrap is 'require'");
  });

  it.each([['background'], [undefined]] as const)(
    '%p fetches the token without a read',
    async (onBootstrap) => {
      const app = await apps.start({ instances: [options(onBootstrap)] });
      const handle = app.get(TokenService).handle({ kind: 'tenant' });
      await until(() => handle.peek() !== undefined);
      expect(emulator.requestsTo(TENANT_GRANT)).toHaveLength(1);
    },
  );

  it("'background' neither delays nor fails the start", async () => {
    emulator.faults.add({ kind: 'hang', times: 1 });
    await apps.start({ instances: [options('background', WRONG_SECRET)] });
    await until(() => emulator.requests.length === 1);

    await apps.start({ instances: [options('background', WRONG_SECRET)] });
    await until(() => apps.logger.lines.some((line) => line.startsWith('error ')));
    expect(apps.logger.lines).toContainEqual(
      expect.stringMatching(/^error tenant_access_token: ERR_FEISHU_CRED/),
    );
  });

  it("'background' of a store app requests the ticket, or fetches the app token if there is one", async () => {
    const store = { appId: STORE.appId, appType: 'store', appSecret: STORE.appSecret } as const;
    const app = await apps.start({ instances: [options('background', store)] });
    await until(() =>
      emulator.requests.some(({ path, status }) => path.endsWith('/resend') && status === 200),
    );
    await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
    expect(await app.get(TokenService).getAppAccessToken()).toMatch(/^a-/);
  });

  it.each([['off'], ['no pre-warm']] as const)('%p makes no request', async (what) => {
    const instance = what === 'off' ? options('off') : options('off', { prewarm: false });
    const app = await apps.start({ instances: [instance] });
    await TestClock.settle();
    expect(app.get(TokenService).handle({ kind: 'tenant' }).peek()).toBeUndefined();
    expect(await app.get(TokenPrewarmer).sweep()).toEqual({ refreshed: 0, failed: 0, dropped: 0 });
    expect(emulator.requests).toEqual([]);
  });
});
