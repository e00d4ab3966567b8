import { Test } from '@nestjs/testing';
import {
  AppTicketService,
  FeishuAuthModule,
  FeishuHttpService,
  TokenPrewarmer,
  TokenService,
} from '../lib/index.js';
import { Clock, TestClock } from '../lib/testing/index.js';
import { CollectingLogger } from './fixtures/collecting-logger.js';

import { feishu, optionsFor, start, STORE_OPTIONS, useEmulators } from './fixtures/module-apps.js';

useEmulators();

describe('a closed application', () => {
  it('returns no token and sends no request', async () => {
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

  it('has no timer left, also after a renewal in progress', async () => {
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
