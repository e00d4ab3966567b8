import { type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AppTicketService, FeishuAuthModule, TokenService } from 'nestjs-feishu-auth';
import { Clock } from 'nestjs-feishu-auth/testing';
import { STORE_APP } from '../load/platform.js';
import { type DesignSetup, type TokenDesign } from './design.js';

/** This module as an application has it, with its defaults; a clock that a test moves replaces the machine's. */
export class ThisModuleDesign implements TokenDesign {
  private constructor(
    private readonly app: INestApplicationContext,
    private readonly tokens: TokenService,
  ) {}

  static async build({ domain, ticket, clock, fetch, lifetimeMs }: DesignSetup): Promise<ThisModuleDesign> {
    const options = { ...STORE_APP, domain, fetch };
    // A sweep every half minute is often for two hours, and never for a second.
    const intervalMs = Math.min(30_000, lifetimeMs / 10);
    const builder = Test.createTestingModule({
      imports: [FeishuAuthModule.forRoot({ ...options, prewarm: { onBootstrap: 'off', intervalMs } })],
    });
    if (clock instanceof Clock) builder.overrideProvider(Clock).useValue(clock);
    const app = await (await builder.compile()).init();
    await app.get(AppTicketService).set(ticket);
    return new ThisModuleDesign(app, app.get(TokenService));
  }

  get(tenantKey: string): Promise<string> {
    return this.tokens.getTenantAccessToken({ tenantKey });
  }

  lateRenewals(): number {
    return this.tokens.metrics().prewarm.late;
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}
