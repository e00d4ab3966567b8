import { TestClock } from '../../lib/testing/test-clock.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

describe('isolation of held tokens', () => {
  expectNoUnhandledRejections();

  it('#41 a caller that changes a returned token or snapshot changes nothing in the module', async () => {
    const world = new TokenWorld();
    const given = await world.settle(world.tokens.getToken(TENANT));
    const { value } = given;
    const end = given.expiresAt.getTime();
    given.value = 'hijacked';
    given.expiresAt.setTime(0);
    given.obtainedAt.setTime(0);
    given.kind = 'app';
    const again = await world.tokens.getToken(TENANT);
    expect(again).toMatchObject({ value, kind: 'tenant', source: 'memory', expiresAt: new Date(end) });
    expect(again.obtainedAt.getTime()).toBeGreaterThan(0);

    const metrics = world.tokens.metrics();
    metrics.kinds.tenant.hits = -1;
    metrics.kinds.tenant.refresh.failuresByCode['ERR_FEISHU_CLOSED'] = 7;
    metrics.store.breaker = 'open';
    expect(world.tokens.metrics()).toMatchObject({
      kinds: { tenant: { hits: 1, refresh: { failuresByCode: {} } } },
      store: { breaker: 'closed' },
    });
    await world.close();
  });

  it('#41 a caller that changes a query after the call changes nothing in the handle', async () => {
    const world = new TokenWorld({ appType: 'store' });
    await world.engine.tickets.set('ticket-1');
    const query = { kind: 'tenant' as const, tenantKey: 'mine' };
    const handle = world.tokens.handle(query);
    query.tenantKey = 'yours';
    expect(await world.settle(handle.get())).toContain('mine');
    await world.close();
  });

  it('#41 a store that changes a record after the write changes nothing in this process', async () => {
    const kept: Record<string, unknown>[] = [];
    const cache = {
      get: () => Promise.resolve(kept.at(-1)),
      set: (_: string, record: Record<string, unknown>) => Promise.resolve(void kept.push(record)),
    };
    const world = new TokenWorld({ cache });
    const token = await world.settle(world.tokens.getToken(TENANT));
    await TestClock.settle();
    Object.assign(kept[0] ?? {}, { secret: 'hijacked', expiresAt: 0 });
    expect(await world.tokens.getToken(TENANT)).toEqual({ ...token, source: 'memory' });
    await world.close();
  });
});
