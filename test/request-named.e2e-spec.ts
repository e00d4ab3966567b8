import { Controller, Get, Module } from '@nestjs/common';
import { FeishuAuthModule } from '../lib/feishu-auth.module.js';
import { FeishuAuth } from '../lib/request/feishu-auth.decorator.js';
import { FeishuToken } from '../lib/request/feishu-token.decorator.js';
import { AppTicketService } from '../lib/ticket/app-ticket.service.js';
import { type Caller, whoAmI } from './fixtures/calling-feishu.js';
import { SELF_BUILT, STORE } from './fixtures/feishu-platform.js';

import {
  app,
  emulator,
  get,
  listen,
  startEmulator,
  stopAfterEach,
  STORE_APP,
  tenantOf,
} from './fixtures/request-app.js';

stopAfterEach();

describe('@FeishuAuth({ name })', () => {
  it('injects the token of the named instance', async () => {
    await startEmulator();
    @Controller()
    class NamedController {
      @Get('unnamed')
      @FeishuAuth()
      unnamed(@FeishuToken() token: string): Promise<Caller> {
        return whoAmI(emulator.domain.open, token);
      }

      @Get('named')
      @FeishuAuth({ name: 'isv', tenantKey: tenantOf })
      named(@FeishuToken() token: string): Promise<Caller> {
        return whoAmI(emulator.domain.open, token);
      }
    }
    @Module({
      imports: [
        FeishuAuthModule.forRoot({ ...SELF_BUILT, domain: emulator.domain, prewarm: false }),
        FeishuAuthModule.forRoot({
          ...STORE_APP,
          domain: emulator.domain,
          prewarm: false,
          name: 'isv',
          isGlobal: false,
        }),
      ],
      controllers: [NamedController],
    })
    class TestModule {}
    await listen(TestModule);
    const tickets = app.get<AppTicketService>('FeishuAuth:AppTicketService(isv)', { strict: false });
    await tickets.set(emulator.apps.ticket(STORE.appId));
    expect((await get('unnamed')).body).toMatchObject({ appId: SELF_BUILT.appId });
    expect((await get('named', { 'x-tenant': 'tenant_a' })).body).toMatchObject({
      appId: STORE.appId,
      tenantKey: 'tenant_a',
    });
  });
});
