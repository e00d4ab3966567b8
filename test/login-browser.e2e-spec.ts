import { jest } from '@jest/globals';
import { Controller, Get, Header, Inject, Injectable, Req, UnauthorizedException } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { type Browser, type BrowserContext, type Page } from 'playwright-core';
import { type FeishuLogin, FeishuLoginService, OnFeishuLogin } from '../lib/index.js';
import { type FeishuEmulator } from '../lib/testing/index.js';
import { findChromium, launchChromium } from './fixtures/chromium.js';
import { type RunningLoginApp, startAccounts, startLoginApp } from './fixtures/login-app.js';

const CHROMIUM = findChromium();
if (CHROMIUM === undefined) {
  console.warn('NOT RUN: the login in a browser. Install chromium, or name it in CHROMIUM_BIN.');
}

// A browser takes its time on a busy machine.
jest.setTimeout(60_000);

interface HostRequest {
  headers: { cookie?: string };
}
interface HostResponse {
  append(name: string, value: string): void;
}

/** The application's own sessions, which are not the module's business. */
@Injectable()
class Sessions {
  private readonly users = new Map<string, string>();

  @OnFeishuLogin()
  begin({ user, response }: FeishuLogin): void {
    const id = randomUUID();
    this.users.set(id, user.openId);
    const line = stringifySetCookie({
      name: 'session',
      value: id,
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
    });
    (response as HostResponse).append('set-cookie', line);
  }

  userOf({ headers }: HostRequest): string | undefined {
    return this.users.get(parseCookie(headers.cookie ?? '')['session'] ?? '');
  }
}

@Controller()
class PageController {
  constructor(
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(FeishuLoginService) private readonly logins: FeishuLoginService,
  ) {}

  @Get()
  @Header('content-type', 'text/html')
  page(@Req() request: HostRequest): string {
    const openId = this.sessions.userOf(request);
    return openId === undefined
      ? '<h1>Nobody</h1><a href="/auth/feishu?returnTo=/%3Fback">Log in with Feishu</a>'
      : `<h1>${openId}</h1><a href="/logout">Log out</a>`;
  }

  @Get('logout')
  @Header('content-type', 'text/html')
  async logOut(@Req() request: HostRequest): Promise<string> {
    const openId = this.sessions.userOf(request);
    if (openId === undefined) throw new UnauthorizedException();
    await this.logins.logout(openId);
    return '<h1>Logged out</h1>';
  }
}

(CHROMIUM === undefined ? describe.skip : describe)('a user with a real browser', () => {
  let browser: Browser;
  let emulator: FeishuEmulator;
  let world: RunningLoginApp;
  let context: BrowserContext;
  let page: Page;
  /** Every request that left the browser, with what its `Referer` said. */
  let referers: string[];

  beforeAll(async () => {
    browser = await launchChromium(CHROMIUM ?? '');
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    emulator = await startAccounts();
    world = await startLoginApp({ emulator, providers: [Sessions], controllers: [PageController] });
    context = await browser.newContext();
    page = await context.newPage();
    referers = [];
    page.on('request', (request) => referers.push(request.headers()['referer'] ?? ''));
    await page.goto(`${world.url}/`);
    await page.getByRole('link', { name: 'Log in with Feishu' }).click();
    await page.getByRole('heading', { name: 'cli_web' }).waitFor();
  });
  afterEach(async () => {
    await context.close();
    await world.app.close();
    await emulator.stop();
  });

  it('approves on the consent page, and is logged in where the login was asked for', async () => {
    expect(await page.getByRole('checkbox', { name: 'offline_access' }).isChecked()).toBe(true);
    expect(await page.getByRole('radio', { name: 'Ann' }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'ou_ann' }).waitFor();
    expect(page.url()).toBe(`${world.url}/?back`);
    const cookies = await context.cookies(world.url);
    expect(cookies).toMatchObject([{ name: 'session', httpOnly: true }]);
    for (const referer of referers) expect(referer).not.toMatch(/code=|state=/);
  });

  it('logs out, here and at Feishu', async () => {
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('link', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Logged out' }).waitFor();
    expect(emulator.requestsTo('/oauth/v1/revoke')).toHaveLength(2);
    expect(await world.app.get(FeishuLoginService).status('ou_ann')).toMatchObject({ reason: 'logged-out' });
  });

  it('denies, and nothing is stored', async () => {
    const answered = page.waitForResponse((response) => response.url().includes('/auth/feishu/callback'));
    await page.getByRole('button', { name: 'Deny' }).click();
    const response = await answered;
    expect(response.status()).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'ERR_FEISHU_LOGIN_REJECTED', failure: 'denied' });
    expect(await context.cookies(world.url)).toEqual([]);
    expect(await world.app.get(FeishuLoginService).status('ou_ann')).toMatchObject({ state: 'absent' });
  });

  it('goes back to a callback that is over, and is refused', async () => {
    const callback = page.waitForRequest((request) => request.url().includes('/auth/feishu/callback'));
    await page.getByRole('button', { name: 'Approve' }).click();
    const url = (await callback).url();
    await page.getByRole('heading', { name: 'ou_ann' }).waitFor();
    const again = await page.goto(url);
    expect(again?.status()).toBe(400);
    expect(emulator.logins).toHaveLength(1);
  });
});
