import { TokenWorld } from './fixtures/token-world.js';

describe('world', () => {
  it('works', async () => {
    const world = new TokenWorld();
    const first = await world.settle(world.tokens.getTenantAccessToken());
    await world.clock.advance(96 * 60_000);
    expect(await world.tokens.getTenantAccessToken()).toBe(first);
    await world.clock.advance(1_000);
    const second = await world.tokens.getTenantAccessToken();
    expect(second).not.toBe(first);
    expect(world.platform.tokenCalls).toBe(2);
    expect(await world.tokens.invalidate({ kind: 'tenant' }, second)).toBe(true);
    expect(await world.tokens.getTenantAccessToken()).toBe(second);
    expect(await world.tokens.invalidate({ kind: 'tenant' }, second)).toBe(false);
    await world.close();
    expect(world.clock.pendingTimers).toBe(0);
  });
  it('store app', async () => {
    const world = new TokenWorld({ appType: 'store' });
    const pending = world.tokens.getTenantAccessToken({ tenantKey: 'a' });
    await world.clock.advance(2_000);
    expect(world.platform.callsTo('resend')).toBe(1);
    await world.engine.tickets.set('ticket-1');
    await world.settle(pending);
    await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'b' }));
    expect(world.platform.callsTo('/app_access_token')).toBe(1);
    await world.close();
    expect(world.clock.pendingTimers).toBe(0);
  });
});
