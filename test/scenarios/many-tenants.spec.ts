import { MemoryCache } from '../../lib/store/memory-cache.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { type TokenQuery } from '../../lib/tokens/access-token.js';
import { fail, FakeStore } from '../fixtures/fake-store.js';
import { SECOND } from '../fixtures/renewal.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';
import { runInThisContext } from 'node:vm';

const APP = { kind: 'app' } as const;

/** The process of a Jest test is a copy, on which no warning is emitted. */
const actualProcess = runInThisContext('process') as NodeJS.Process;

describe('many tenants', () => {
  expectNoUnhandledRejections();

  const MAX = 1_000;
  /** 50 000 in the soak. */
  const TENANTS = Number(process.env['CROWD'] ?? 15_000);
  /** Enough to go round. */
  const MADE_UP = 4 * MAX;

  /** A platform that keeps no book of what it issued, and counts what is under way. */
  function crowdedPlatform(answer: (tenantKey: string | undefined) => object) {
    const stats = { calls: 0, underWay: 0, most: 0 };
    const fetch: typeof globalThis.fetch = async (_, init) => {
      stats.calls++;
      stats.most = Math.max(stats.most, ++stats.underWay);
      await Promise.resolve();
      stats.underWay--;
      const { tenant_key } = JSON.parse(init?.body as string) as { tenant_key?: string };
      return new Response(JSON.stringify(answer(tenant_key)));
    };
    return { stats, fetch };
  }

  async function crowdedWorld(fetch: typeof globalThis.fetch) {
    const clock = new TestClock();
    const cache = new MemoryCache(MAX + 8, clock);
    const world = new TokenWorld({ appType: 'store', maxTokens: MAX, clock, cache, fetch });
    await world.engine.tickets.set('ticket-1');
    await world.settle(world.tokens.getAppAccessToken());
    return { world, clock, entries: cache };
  }

  async function inBatches(
    count: number,
    visit: (index: number) => Promise<unknown>,
    after: () => void,
  ): Promise<void> {
    for (let start = 0; start < count; start += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => visit(start + index)));
      await TestClock.settle();
      after();
    }
  }

  it('#42 more tenants than maxTokens: slots and cache stay within their bounds, and each caller gets the right token', async () => {
    const { fetch, stats } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const { world, clock, entries } = await crowdedWorld(fetch);
    const queryOf = (index: number): TokenQuery => ({ kind: 'tenant', tenantKey: `tenant-${index}` });
    const oldest = world.tokens.handle(queryOf(0));

    let wrong = 0;
    await inBatches(
      TENANTS,
      async (index) => {
        const { value } = await world.tokens.getToken(queryOf(index));
        if (value !== `t-tenant-${index}`) wrong++;
      },
      () => {
        expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
        expect(entries.size).toBeLessThanOrEqual(MAX + 8);
        expect(clock.pendingTimers).toBe(0);
        expect(world.tokens.handle(APP).peek()).toBe('a-token');
      },
    );
    expect(wrong).toBe(0);
    expect(stats.calls).toBe(TENANTS + 1);
    expect(world.tokens.metrics().kinds.tenant.tokens).toBeLessThanOrEqual(MAX);
    // The most recent ones are held, and a handle whose slot was evicted finds its successor.
    expect(world.tokens.handle(queryOf(TENANTS - 1)).peek()).toBe(`t-tenant-${TENANTS - 1}`);
    expect(oldest.peek()).toBeUndefined();
    expect(await world.settle(oldest.get())).toBe('t-tenant-0');
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  }, 120_000);

  it('#42 invented tenant keys fill neither memory nor log, and real tenants still get tokens', async () => {
    const { fetch } = crowdedPlatform((tenantKey) => {
      if (tenantKey === undefined) return { code: 0, app_access_token: 'a-token', expire: 7_200 };
      if (tenantKey.startsWith('real'))
        return { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 };
      return { code: 99991665, msg: 'no such tenant' };
    });
    const { world, clock, entries } = await crowdedWorld(fetch);
    await inBatches(
      MADE_UP,
      async (index) => {
        const asked = world.tokens.getTenantAccessToken({ tenantKey: `made-up-${index}` });
        await expect(asked).rejects.toMatchObject({ code: 'ERR_FEISHU_TENANT_REJECTED' });
      },
      () => {
        // Those that failed a moment ago are remembered beyond the bound, twice of it at most (and one batch on its way).
        expect(world.engine.slots.size).toBeLessThanOrEqual(2 * MAX + 500);
        expect(entries.size).toBeLessThanOrEqual(MAX + 8);
        expect(clock.pendingTimers).toBe(0);
      },
    );
    expect(world.logged).toHaveLength(1);
    const real = await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'real-1' }));
    expect(real).toBe('t-real-1');
    expect(world.tokens.handle(APP).peek()).toBe('a-token');
    await world.close();
  }, 120_000);

  it('#42 four times maxTokens tenants at once: each caller gets a token, and the bounds hold afterwards', async () => {
    const { fetch, stats } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const { world, clock, entries } = await crowdedWorld(fetch);
    const all = Array.from({ length: MADE_UP }, (_, index) =>
      world.tokens.getTenantAccessToken({ tenantKey: `tenant-${index}` }),
    );
    const values = await world.settle(Promise.all(all));
    expect(new Set(values).size).toBe(MADE_UP);
    expect(stats.calls).toBe(MADE_UP + 1);
    await clock.advance(SECOND);
    // Slots with flights are not evicted; the next new slot evicts the surplus.
    await world.settle(world.tokens.getTenantAccessToken({ tenantKey: 'one-more' }));
    await TestClock.settle();
    expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
    expect(entries.size).toBeLessThanOrEqual(MAX + 8);
    await world.close();
    expect(clock.pendingTimers).toBe(0);
  }, 120_000);

  it('#42 with the store down, the second attempts of thousands of writes end within seconds', async () => {
    const clock = new TestClock();
    const store = new FakeStore(clock);
    const { fetch } = crowdedPlatform((tenantKey) =>
      tenantKey === undefined
        ? { code: 0, app_access_token: 'a-token', expire: 7_200 }
        : { code: 0, tenant_access_token: `t-${tenantKey}`, expire: 7_200 },
    );
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    actualProcess.on('warning', onWarning);
    const world = new TokenWorld({ appType: 'store', maxTokens: MAX, clock, cache: store.managed, fetch });
    await world.engine.tickets.set('ticket-1');
    store.break(fail);
    let afterFirst = 0;
    for (let start = 0; start < 5_000; start += 500) {
      const visits = Array.from({ length: 500 }, (_, index) =>
        world.tokens.getTenantAccessToken({ tenantKey: `tenant-${start + index}` }),
      );
      await Promise.all(visits);
      await clock.advance(SECOND);
      afterFirst ||= store.operations.length;
      expect(clock.pendingTimers).toBeLessThanOrEqual(6 * 500);
      expect(world.engine.slots.size).toBeLessThanOrEqual(MAX);
    }
    await clock.advance(6 * SECOND);
    expect(clock.pendingTimers).toBe(0);
    // The breaker let a probe through now and then, and nothing else.
    expect(store.operations.length - afterFirst).toBeLessThanOrEqual(6);
    await world.close();
    actualProcess.off('warning', onWarning);
    expect(warnings).toEqual([]); // such as Node's, that so many listeners look like a leak
  }, 120_000);
});
