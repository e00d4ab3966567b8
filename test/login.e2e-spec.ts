import { jest } from '@jest/globals';
import { get } from 'node:http';
import { type CanActivate, type ExecutionContext, ForbiddenException, SetMetadata } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import {
  FeishuLoginService,
  getFeishuServiceToken,
  InMemoryUserTokenStore,
  InProcessRefreshLock,
  OnFeishuLogin,
} from '../lib/index.js';
import { type FeishuEmulator } from '../lib/testing/index.js';
import { TestClock } from '../lib/testing/test-clock.js';
import { SystemClock } from '../lib/time/system-clock.js';
import { LOGIN_LIFETIME_MS } from '../lib/login/login-flow.js';
import { Browser } from './fixtures/browser.js';
import { closeApps } from './fixtures/close-apps.js';
import {
  ANN,
  type LoginAppOptions,
  Reception,
  type RunningLoginApp,
  startAccounts,
  startLoginApp,
  WEB_APP,
} from './fixtures/login-app.js';
import { HOSTS } from './fixtures/store-app.js';

const USER_KEY = (emulator: FeishuEmulator): string =>
  `feishu-auth:v1:{${encodeURIComponent(new URL(emulator.domain.open).host)}:${WEB_APP.appId}:user:${ANN.openId}}`;

// Each test makes some HTTP requests: on a busy machine they take their time.
jest.setTimeout(30_000);

/** Does not wait between attempts. */
class HastyClock extends SystemClock {
  override sleep(): Promise<void> {
    return Promise.resolve();
  }
}

/** Sends a Host header of its own, which `fetch` does not. */
function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/auth/feishu`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
}

describe.each(HOSTS)('the login endpoint on %s', (_name, adapter) => {
  let emulator: FeishuEmulator;
  let running: RunningLoginApp[];
  let browser: Browser;

  beforeEach(async () => {
    running = [];
    browser = new Browser();
    emulator = await startAccounts();
  });
  afterEach(async () => {
    await closeApps(running.map(({ app }) => app));
    await emulator.stop();
  });

  async function start(options: Partial<LoginAppOptions> = {}): Promise<RunningLoginApp> {
    const started = await startLoginApp({ emulator, adapter: adapter(), ...options });
    running.push(started);
    return started;
  }

  /** Goes to Feishu and agrees. @returns the callback URL, not yet opened */
  async function agree(url: string, query = '', by = browser): Promise<string> {
    const away = await by.get(`${url}/auth/feishu${query}`);
    expect(away.status).toBe(302);
    return emulator.users.approve(away.headers.get('location') ?? '').url;
  }

  const begun = ({ app }: RunningLoginApp): Reception => app.get(Reception);

  /** What a refused login must not have done. */
  async function expectRefused(
    response: Response,
    app: RunningLoginApp,
    expected: { status: number; code?: string; failure?: string },
  ): Promise<void> {
    const body = (await response.json()) as Record<string, unknown>;
    expect({ status: response.status, body }).toEqual({
      status: expected.status,
      body: {
        statusCode: expected.status,
        message: expect.any(String),
        code: expected.code ?? 'ERR_FEISHU_LOGIN_REJECTED',
        failure: expected.failure,
      },
    });
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(begun(app).logins).toEqual([]);
    expect(await app.store.get(USER_KEY(emulator))).toBeUndefined();
  }

  describe('a login that goes well', () => {
    it('sends the browser to Feishu with PKCE and state, and sets one sealed cookie', async () => {
      const { url } = await start({ users: { scopes: ['offline_access', 'im:message'] } });
      const response = await browser.get(`${url}/auth/feishu`);
      expect(response.status).toBe(302);
      const location = new URL(response.headers.get('location') ?? '');
      expect(location.origin + location.pathname).toBe(
        `${emulator.domain.accounts}/open-apis/authen/v1/authorize`,
      );
      expect(Object.fromEntries(location.searchParams)).toEqual({
        client_id: WEB_APP.appId,
        response_type: 'code',
        redirect_uri: `${url}/auth/feishu/callback`,
        scope: 'offline_access im:message',
        state: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge_method: 'S256',
      });
      expect(location.search).not.toContain('+');
      const cookies = response.headers.getSetCookie();
      expect(cookies).toEqual([
        expect.stringMatching(
          /^feishu_login_[0-9a-f]{16}=[^;]+; Max-Age=1200; Path=\/; HttpOnly; SameSite=Lax$/,
        ),
      ]);
      expect(cookies[0]?.length).toBeLessThan(1_000);
      for (const secret of [
        location.searchParams.get('state'),
        location.searchParams.get('code_challenge'),
      ]) {
        expect(decodeURIComponent(cookies[0] ?? '')).not.toContain(secret);
      }
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('cache-control')).toBe('no-store');
    });

    it('stores the login, hands the user to the application, and goes on to returnTo', async () => {
      const world = await start();
      const callback = await agree(world.url, '?returnTo=/docs/1%3Fa=b');
      const response = await browser.get(callback);
      expect(response.status).toBe(302);
      expect(response.headers.get('location')).toBe('/docs/1?a=b');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.getSetCookie()).toEqual([
        expect.stringMatching(/^feishu_login_[0-9a-f]{16}=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
      expect(browser.cookieHeader(world.url)).toBe('');
      expect(begun(world).logins).toMatchObject([
        {
          user: {
            openId: 'ou_ann',
            unionId: 'on_ann',
            name: 'Ann',
            tenantKey: 'tenant_a',
            scopes: ['auth:user.id:read', 'offline_access'],
          },
          returnTo: '/docs/1?a=b',
          request: { headers: expect.anything() },
          response: expect.anything(),
        },
      ]);
      const logins = world.app.get(FeishuLoginService);
      expect(await logins.status('ou_ann')).toMatchObject({ state: 'active' });
    });

    it('goes on to / unless told, and to the path that the application returns', async () => {
      const world = await start();
      expect((await browser.get(await agree(world.url))).headers.get('location')).toBe('/');
      begun(world).answer = ({ user }) => Promise.resolve(`/welcome/${user.name}?é`);
      expect((await browser.get(await agree(world.url))).headers.get('location')).toBe('/welcome/Ann?%C3%A9');
    });

    it('lets the application answer by itself, and set cookies of its own', async () => {
      const world = await start();
      begun(world).answer = ({ response }) => {
        const host = world.app.getHttpAdapter();
        host.setHeader?.(response, 'location', 'https://spa.example.test/');
        host.reply(response, 'bye', 303);
      };
      const response = await browser.get(await agree(world.url));
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe('https://spa.example.test/');
      expect(response.headers.getSetCookie()).toHaveLength(1);
    });

    it('does not stand in the way of logins in other tabs of the same browser', async () => {
      const world = await start();
      const tabs = [await agree(world.url, '?returnTo=/1'), await agree(world.url, '?returnTo=/2')];
      expect(browser.cookieHeader(world.url).split('; ')).toHaveLength(2);
      for (const [index, callback] of tabs.entries()) {
        expect((await browser.get(callback)).headers.get('location')).toBe(`/${index + 1}`);
      }
    });

    it('keeps four cookies at most, and drops the oldest', async () => {
      const clock = new TestClock();
      const world = await start({ clock });
      const callbacks: string[] = [];
      for (let tab = 0; tab < 6; tab += 1) {
        callbacks.push(await agree(world.url, `?returnTo=/${tab}`));
        await clock.advance(1_000);
      }
      expect(browser.cookieHeader(world.url).split('; ')).toHaveLength(4);
      expect((await browser.get(callbacks[1] ?? '')).status).toBe(400);
      expect((await browser.get(callbacks[2] ?? '')).headers.get('location')).toBe('/2');
    });

    it('asks for more scopes on demand, with those of every login, and always shows the page then', async () => {
      const { url } = await start();
      const response = await browser.get(`${url}/auth/feishu?scope=im:message%20drive:drive`);
      const { searchParams } = new URL(response.headers.get('location') ?? '');
      expect(searchParams.get('scope')).toBe('offline_access im:message drive:drive');
      expect(searchParams.get('prompt')).toBe('consent');
    });

    it('marks the cookie for https only, and for this host only, if the redirect URI is https', async () => {
      const redirectUri = 'https://app.example.test/prefix/auth/feishu/callback';
      const world = await start({ users: { redirectUri } });
      const response = await browser.get(`${world.url}/auth/feishu`);
      expect(new URL(response.headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(
        redirectUri,
      );
      expect(response.headers.getSetCookie()).toEqual([
        expect.stringMatching(
          /^__Host-feishu_login_\w+=[^;]+; Max-Age=1200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
        ),
      ]);
      const callback = emulator.users.approve(response.headers.get('location') ?? '').url;
      const local = callback.replace('https://app.example.test/prefix', world.url);
      expect((await browser.get(local)).headers.get('location')).toBe('/');
      expect(world.logged.filter(({ level }) => level !== 'log')).toEqual([]);
    });
  });

  describe('#69 refuses', () => {
    it('#69 a callback that no login was started for, whatever its state', async () => {
      const world = await start();
      const states = ['', '&state=', '&state=made-up', '&state=a&state=b', `&state=${'x'.repeat(5_000)}`];
      for (const state of states) {
        const response = await browser.get(`${world.url}/auth/feishu/callback?code=abc${state}`);
        await expectRefused(response, world, { status: 400, failure: 'invalid-state' });
      }
      expect(emulator.requests).toEqual([]);
    });

    it.each([
      ['another state of the same length', (url: URL) => url.searchParams.set('state', 'A'.repeat(43))],
      [
        'one letter of the state changed',
        (url: URL) => {
          const state = url.searchParams.get('state') ?? '';
          url.searchParams.set('state', (state.startsWith('A') ? 'B' : 'A') + state.slice(1));
        },
      ],
      ['the state missing', (url: URL) => url.searchParams.delete('state')],
      [
        'the state twice',
        (url: URL) => url.searchParams.append('state', url.searchParams.get('state') ?? ''),
      ],
    ])('#69 a callback with %s', async (_, forge) => {
      const world = await start();
      const callback = new URL(await agree(world.url));
      forge(callback);
      await expectRefused(await browser.get(callback), world, { status: 400, failure: 'invalid-state' });
      expect(emulator.logins).toEqual([]);
    });

    it("#69 another browser's callback", async () => {
      const world = await start();
      const callback = await agree(world.url);
      const victim = new Browser();
      await expectRefused(await victim.get(callback), world, { status: 400, failure: 'invalid-state' });
      // Not even if the victim has a login of its own under way.
      await agree(world.url, '', victim);
      await expectRefused(await victim.get(callback), world, { status: 400, failure: 'invalid-state' });
      expect(emulator.logins).toEqual([]);
    });

    it('#69 a cookie that was changed, made up, or sealed for another app or instance', async () => {
      const world = await start();
      const other = await start({ options: { appSecret: 'another-secret' } });
      const callback = await agree(world.url);
      const [name = '', value = ''] = browser.cookieHeader(world.url).split(/=(.*)/s);
      const elsewhere = new Browser();
      await elsewhere.get(`${other.url}/auth/feishu`);
      const foreign = elsewhere.cookieHeader(other.url).split(/=(.*)/s)[1] ?? '';
      const forgeries = [
        '',
        'x',
        '|||',
        '||||',
        value.slice(0, -8),
        value.slice(0, 60) + (value[60] === 'A' ? 'B' : 'A') + value.slice(61),
        `x${value}`,
        foreign,
        '%E0%A4%A',
      ];
      for (const forged of forgeries) {
        const response = await fetch(callback, {
          redirect: 'manual',
          headers: { cookie: `${name}=${forged}` },
        });
        await expectRefused(response, world, { status: 400, failure: 'invalid-state' });
      }
      // The cookie was good all along.
      expect((await browser.get(callback)).status).toBe(302);
    });

    it('#69 a callback that comes after 20 minutes', async () => {
      const clock = new TestClock();
      const world = await start({ clock });
      const callback = await agree(world.url);
      await clock.advance(LOGIN_LIFETIME_MS);
      await expectRefused(await browser.get(callback), world, { status: 400, failure: 'invalid-state' });
      expect(emulator.logins).toEqual([]);
    });

    it('#69 a callback that comes twice, although its cookie was copied, in every process', async () => {
      const lock = new InProcessRefreshLock();
      const world = await start({ options: { lock } });
      const other = await start({ options: { lock } });
      const callback = await agree(world.url);
      const cookie = browser.cookieHeader(world.url);
      expect((await browser.get(callback)).status).toBe(302);
      for (const url of [callback, callback.replace(world.url, other.url)]) {
        const replayed = await fetch(url, { redirect: 'manual', headers: { cookie } });
        expect(replayed.status).toBe(400);
        expect(await replayed.json()).toMatchObject({ failure: 'invalid-state' });
      }
      expect(emulator.requestsTo('/oauth/v3/token')).toHaveLength(1);
      expect(begun(world).logins).toHaveLength(1);
    });

    it('#69 one of two callbacks that come at the same time', async () => {
      const world = await start();
      const callback = await agree(world.url);
      const cookie = browser.cookieHeader(world.url);
      const send = (): Promise<Response> => fetch(callback, { redirect: 'manual', headers: { cookie } });
      const statuses = (await Promise.all([send(), send()])).map(({ status }) => status);
      expect(statuses.toSorted((one, other) => one - other)).toEqual([302, 400]);
      expect(emulator.requestsTo('/oauth/v3/token')).toHaveLength(1);
    });

    it.each<[string, (callback: URL, elsewhere: URL) => void]>([
      ['a code that is made up', ({ searchParams }) => searchParams.set('code', 'made-up')],
      ['an empty code', ({ searchParams }) => searchParams.set('code', '')],
      ['no code', ({ searchParams }) => searchParams.delete('code')],
      ['two codes', ({ searchParams }) => searchParams.append('code', 'second')],
      ['line breaks in the code', ({ searchParams }) => searchParams.set('code', 'x\r\ny')],
      [
        'the code of another login, to which PKCE binds it',
        (callback, elsewhere) => callback.searchParams.set('code', elsewhere.searchParams.get('code') ?? ''),
      ],
      ['a code that is older than five minutes', () => emulator.clock.advance(5 * 60_000)],
    ])('#69 a callback with %s', async (_, change) => {
      const world = await start();
      const elsewhere = new URL(await agree(world.url, '', new Browser()));
      const callback = new URL(await agree(world.url));
      change(callback, elsewhere);
      await expectRefused(await browser.get(callback), world, { status: 400, failure: 'rejected' });
      expect(emulator.logins).toEqual([]);
    });

    it('#69 a code that was used already', async () => {
      const world = await start();
      const callback = await agree(world.url);
      emulator.faults.add({ grantType: 'authorization_code', times: 1, stage: 'answer', kind: 'reset' });
      await expectRefused(await browser.get(callback), world, {
        status: 503,
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        failure: 'unavailable',
      });
      const code = new URL(callback).searchParams.get('code') ?? '';
      const redirectUri = `${world.url}/auth/feishu/callback`;
      await expect(
        world.app.get(FeishuLoginService).exchangeCode({ code, redirectUri }),
      ).rejects.toMatchObject({
        code: 'ERR_FEISHU_LOGIN_REJECTED',
        feishuCode: 20065,
      });
    });

    it.each([
      'https://evil.test',
      '//evil.test',
      '/\\evil.test',
      '/%2f..',
      '/%2fevil.test',
      '/.//evil.test',
      '/\t/evil.test',
      '/\r\nSet-Cookie:x=y',
      '\u0000/x',
      'javascript:alert(1)',
      '／／evil.test',
      '/\u2028/evil.test',
      'relative',
    ])('#69 returnTo %j, before anything is sent to Feishu', async (returnTo) => {
      const world = await start();
      const response = await browser.get(`${world.url}/auth/feishu?returnTo=${encodeURIComponent(returnTo)}`);
      await expectRefused(response, world, {
        status: 400,
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        failure: 'invalid-request',
      });
      expect(response.headers.getSetCookie()).toEqual([]);
    });

    it('#69 returnTo given twice, and scopes that are none', async () => {
      const world = await start();
      for (const query of [
        'returnTo=/a&returnTo=//evil.test',
        'scope=%0d%0a',
        'scope=a&scope=b',
        'scope="x"',
      ]) {
        await expectRefused(await browser.get(`${world.url}/auth/feishu?${query}`), world, {
          status: 400,
          code: 'ERR_FEISHU_INVALID_ARGUMENT',
          failure: 'invalid-request',
        });
      }
    });

    it('#69 a path of the application that leads elsewhere', async () => {
      const world = await start();
      begun(world).answer = () => '//evil.test';
      const response = await browser.get(await agree(world.url));
      expect(response.status).toBe(500);
      expect(response.headers.get('location')).toBeNull();
      expect(JSON.stringify(world.logged)).toContain('Reception.onLogin must return a path on this origin');
    });

    it('#69 a user who said no, and the login is over then', async () => {
      const world = await start();
      const away = await browser.get(`${world.url}/auth/feishu`);
      const thief = new Browser();
      thief.copy(browser);
      const { url: callback } = emulator.users.deny(away.headers.get('location') ?? '');
      await expectRefused(await browser.get(callback), world, { status: 403, failure: 'denied' });
      expect(browser.cookieHeader(world.url)).toBe('');
      // An approval of the same request comes too late.
      const late = emulator.users.approve(away.headers.get('location') ?? '').url;
      await expectRefused(await thief.get(late), world, { status: 400, failure: 'invalid-state' });
      // Feishu may leave the state out.
      const bare = await browser.get(`${world.url}/auth/feishu/callback?error=access_denied`);
      await expectRefused(bare, world, { status: 403, failure: 'denied' });
      expect(emulator.logins).toEqual([]);
    });

    it('#69 any other error that comes with the callback, even beside a code', async () => {
      const world = await start();
      const callback = new URL(await agree(world.url));
      callback.searchParams.set('error', 'server_error');
      await expectRefused(await browser.get(callback), world, { status: 400, failure: 'rejected' });
      expect(emulator.logins).toEqual([]);
    });

    it('#69 a user whom Feishu blocks', async () => {
      const world = await start();
      const callback = await agree(world.url);
      emulator.users.setStatus('ou_ann', 'frozen');
      await expectRefused(await browser.get(callback), world, {
        status: 400,
        code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
        failure: 'rejected',
      });
    });
  });

  describe('trouble', () => {
    it('of Feishu is 503, and nothing is stored', async () => {
      const world = await start();
      const callback = await agree(world.url);
      emulator.faults.add({ grantType: 'authorization_code', code: 20072 });
      await expectRefused(await browser.get(callback), world, {
        status: 503,
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        failure: 'unavailable',
      });
      expect(world.logged).toContainEqual({
        level: 'warn',
        message: expect.stringContaining('a login failed: ERR_FEISHU_PLATFORM_UNAVAILABLE'),
      });
    });

    it('of the store is 503', async () => {
      const world = await start({ clock: new HastyClock() });
      const callback = await agree(world.url);
      world.store.put = () => Promise.reject(new Error('the disk is full'));
      const response = await browser.get(callback);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE' });
      expect(begun(world).logins).toEqual([]);
    });

    it('of the app itself is 500, with its code', async () => {
      const world = await start();
      const callback = await agree(world.url);
      emulator.apps.setSecret(WEB_APP.appId, 'rotated');
      await expectRefused(await browser.get(callback), world, {
        status: 500,
        code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
        failure: 'misconfigured',
      });
    });

    it('with user_info is asked again, because the code is used up', async () => {
      const world = await start({ clock: new HastyClock() });
      const callback = await agree(world.url);
      const fault = emulator.faults.add({ path: '/open-apis/authen/v1/user_info', times: 2, status: 502 });
      expect((await browser.get(callback)).status).toBe(302);
      expect(fault.hits).toBe(2);
      expect(await world.app.get(FeishuLoginService).status('ou_ann')).toMatchObject({ state: 'active' });
    });

    it('in the application is its own answer', async () => {
      const world = await start();
      begun(world).answer = () => {
        throw new ForbiddenException('not a member');
      };
      const response = await browser.get(await agree(world.url));
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ message: 'not a member' });
      expect(response.headers.get('location')).toBeNull();
      expect(browser.cookieHeader(world.url)).toBe('');
    });

    it('with the lock does not keep anybody out', async () => {
      const lock = new InProcessRefreshLock();
      lock.acquire = () => Promise.reject(new Error('no Redis'));
      const world = await start({ options: { lock } });
      expect((await browser.get(await agree(world.url))).status).toBe(302);
    });

    it('of a host that is not loopback, without a redirect URI, is 500 and was said at the start', async () => {
      const world = await start();
      expect(world.logged).toContainEqual({
        level: 'warn',
        message: expect.stringContaining('users.redirectUri is not set'),
      });
      const response = await fetch(`${world.url}/auth/feishu`, { redirect: 'manual' });
      expect(response.status).toBe(302);
      expect(await statusWithHost(world.url, 'evil.test')).toBe(500);
      expect(await statusWithHost(world.url, '127.0.0.1.evil.test')).toBe(500);
      expect(await statusWithHost(world.url, 'localhost:1')).toBe(302);
    });
  });

  describe('in an application', () => {
    it('stands below the global prefix', async () => {
      const world = await start({ configure: (app) => void app.setGlobalPrefix('api') });
      const away = await browser.get(`${world.url}/api/auth/feishu?returnTo=/x`);
      const callback = emulator.users.approve(away.headers.get('location') ?? '').url;
      expect(callback).toContain(`${world.url}/api/auth/feishu/callback?`);
      expect((await browser.get(callback)).headers.get('location')).toBe('/x');
    });

    it('has a global guard of the application before it, and metadata that lets it pass', async () => {
      const Public = (): ClassDecorator => SetMetadata('isPublic', true);
      class SessionGuard implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          return new Reflector().getAllAndOverride<boolean>('isPublic', [
            context.getHandler(),
            context.getClass(),
          ]);
        }
      }
      const providers = [Reception, { provide: APP_GUARD, useClass: SessionGuard }];
      const closed = await start({ providers });
      expect((await browser.get(`${closed.url}/auth/feishu`)).status).toBe(403);
      const open = await start({
        providers,
        extras: { loginPath: 'auth/feishu', loginDecorators: [Public()] },
      });
      expect((await browser.get(await agree(open.url))).status).toBe(302);
    });

    it('tells instances apart by their names', async () => {
      const lark = new InMemoryUserTokenStore();
      class Both extends Reception {
        readonly larkLogins: string[] = [];

        @OnFeishuLogin({ name: 'lark' })
        onLarkLogin({ user }: { user: { openId: string } }): void {
          this.larkLogins.push(user.openId);
        }
      }
      const { FeishuAuthModule } = await import('../lib/index.js');
      const world = await start({
        providers: [{ provide: Reception, useClass: Both }],
        imports: [
          FeishuAuthModule.forRoot({
            ...WEB_APP,
            domain: emulator.domain,
            prewarm: false,
            users: { store: lark },
            name: 'lark',
            loginPath: 'auth/lark',
          }),
        ],
      });
      const away = await browser.get(`${world.url}/auth/lark`);
      expect(away.headers.getSetCookie()[0]).toMatch(/^feishu_login_lark_[0-9a-f]{16}=/);
      const { url: callback } = emulator.users.approve(away.headers.get('location') ?? '');
      expect((await browser.get(callback)).status).toBe(302);
      expect((begun(world) as Both).larkLogins).toEqual(['ou_ann']);
      expect(begun(world).logins).toEqual([]);
      expect(await world.store.get(USER_KEY(emulator))).toBeUndefined();
      const named = world.app.get<FeishuLoginService>(getFeishuServiceToken(FeishuLoginService, 'lark'));
      expect(await named.status('ou_ann')).toMatchObject({ state: 'active' });
    });

    it('writes no code, state, verifier, token or secret to any log', async () => {
      const world = await start();
      const callback = new URL(await agree(world.url));
      await browser.get(callback);
      const again = new URL(await agree(world.url));
      again.searchParams.set('code', 'a-made-up-code');
      await browser.get(again);
      emulator.faults.add({ grantType: 'authorization_code', kind: 'reset' });
      const cut = new URL(await agree(world.url));
      await browser.get(cut);
      const text = JSON.stringify(world.logged);
      const [login] = emulator.logins;
      const secrets = [
        ...[callback, again, cut].flatMap(({ searchParams }) => [
          searchParams.get('code') ?? '',
          searchParams.get('state') ?? '',
        ]),
        login?.accessToken ?? '',
        login?.refreshToken ?? '',
        WEB_APP.appSecret,
      ];
      expect(world.logged.filter(({ level }) => level !== 'log').length).toBeGreaterThan(1);
      for (const secret of secrets) {
        expect(secret).not.toBe('');
        expect(text).not.toContain(secret);
      }
    });
  });
});
