import { FeishuLoginService } from '../lib/index.js';
import { type FeishuEmulator, TestClock } from '../lib/testing/index.js';
import { until } from './fixtures/feishu-platform.js';
import { type RunningLoginApp, startAccounts, startLoginApp } from './fixtures/login-app.js';

const TOKEN = '/oauth/v3/token';

describe('a device login', () => {
  let clock: TestClock;
  let emulator: FeishuEmulator;
  let world: RunningLoginApp;
  let logins: FeishuLoginService;
  let underWay: number;

  beforeEach(async () => {
    clock = new TestClock();
    underWay = 0;
    emulator = await startAccounts();
    emulator.clock.freeze();
    world = await startLoginApp({ emulator, clock, options: { fetch: countedFetch } });
    logins = world.app.get(FeishuLoginService);
  });
  afterEach(async () => {
    await world.app.close();
    await emulator.stop();
  });

  /** Counts the module's requests, so that no clock moves while one is under way. */
  const countedFetch: typeof fetch = async (input, init) => {
    underWay += 1;
    try {
      const response = await fetch(input, init);
      return new Response(await response.text(), response);
    } finally {
      underWay -= 1;
    }
  };

  /** Moves both clocks, and waits until the poll that is due then was answered. */
  async function nextPoll(seconds: number): Promise<void> {
    const polls = emulator.requestsTo(TOKEN).length;
    emulator.clock.advance(seconds * 1_000);
    await clock.advance(seconds * 1_000);
    await until(() => emulator.requestsTo(TOKEN).length > polls && underWay === 0);
    await TestClock.settle();
  }

  it('waits for the user, and stores the login before it ends', async () => {
    const startedAt = clock.now();
    const login = await logins.startDeviceLogin();
    expect(login).toMatchObject({
      userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
      verificationUri: `${emulator.domain.accounts}/oauth/v1/device/verify`,
      verificationUriComplete: expect.stringContaining(login.userCode),
      expiresAt: new Date(startedAt + 240_000),
    });
    const user = login.wait();
    await nextPoll(5);
    expect(emulator.logins).toEqual([]);
    emulator.users.approve(login.userCode);
    await nextPoll(5);
    expect(await user).toMatchObject({ openId: 'ou_ann', name: 'Ann' });
    expect(await logins.status('ou_ann')).toMatchObject({ state: 'active' });
    expect(emulator.logins).toMatchObject([{ grant: 'device_code', openId: 'ou_ann' }]);
    expect(emulator.requestsTo(TOKEN)).toHaveLength(2);
  });

  it('is refused when the user denies it, and nothing is stored', async () => {
    const login = await logins.startDeviceLogin();
    emulator.users.deny(login.verificationUriComplete ?? '');
    const user = login.wait();
    const outcome = Promise.allSettled([user]);
    await clock.advance(5_000);
    expect(await outcome).toMatchObject([{ reason: { code: 'ERR_FEISHU_LOGIN_REJECTED' } }]);
    expect(await logins.status('ou_ann')).toMatchObject({ state: 'absent' });
  });

  it('is refused at the start when the secret is wrong', async () => {
    emulator.apps.setSecret('cli_web', 'rotated');
    await expect(logins.startDeviceLogin()).rejects.toMatchObject({
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
    });
  });

  it('ends with the application', async () => {
    const login = await logins.startDeviceLogin();
    const outcome = Promise.allSettled([login.wait()]);
    await world.app.close();
    expect(await outcome).toMatchObject([{ reason: { code: 'ERR_FEISHU_CLOSED' } }]);
  });
});
