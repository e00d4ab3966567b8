import { AsyncLocalStorage } from 'node:async_hooks';
import { isFeishuAuthError, type FeishuAuthError } from '../../lib/errors/feishu-auth.error.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { fleetShared } from '../fixtures/fleet.js';
import {
  failureOf,
  granting,
  MINUTE,
  REFRESH_AT,
  SECOND,
  settledAtOnce,
  tenantMetrics,
  warmWorld,
  worldBehind,
} from '../fixtures/renewal.js';
import { TokenWorld } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;
const UNAVAILABLE = { code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true };
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('A. Single flight and promise hygiene', () => {
  expectNoUnhandledRejections();

  it('#1 a cold stampede of 10,000 callers makes one request, and all get one token', async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = 300;
    const callers = times(10_000, () => world.tokens.getTenantAccessToken());

    const values = await world.settle(Promise.all(callers));

    expect(new Set(values).size).toBe(1);
    expect(world.platform.calls).toHaveLength(1);
    expect(tenantMetrics(world)).toMatchObject({
      requests: 10_000,
      waits: 10_000,
      hits: 0,
      misses: 1,
      refresh: { attempts: 1, success: 1 },
    });
  });

  it('#2 different tenants have different flights, and a slow one does not delay the others', async () => {
    const world = worldBehind(
      (platform) => async (input, init) => {
        const body = init?.body as string;
        if (body.includes('slow')) await world.clock.sleep(4 * SECOND);
        return platform.fetch(input, init);
      },
      { appType: 'store' },
    );
    await world.engine.tickets.set('ticket-1');
    const slow = world.tokens.getTenantAccessToken({ tenantKey: 'slow' });

    const quick = world.tokens.getTenantAccessToken({ tenantKey: 'quick' });
    await TestClock.settle();
    expect(await settledAtOnce(quick)).toContain('quick');
    expect(await settledAtOnce(slow)).toBeUndefined();

    expect(await world.settle(slow)).toContain('slow');
    expect(world.platform.callsTo('/tenant_access_token')).toBe(2);
    expect(world.platform.callsTo('/app_access_token')).toBe(1);
  });

  it('#2 app token and tenant token have different flights', async () => {
    const world = new TokenWorld();
    const { tokens, platform } = world;

    const [app, tenant] = await world.settle(
      Promise.all([tokens.getAppAccessToken(), tokens.getTenantAccessToken()]),
    );

    expect(app).not.toBe(tenant);
    expect(platform.callsTo('/app_access_token/internal')).toBe(1);
    expect(platform.callsTo('/tenant_access_token/internal')).toBe(1);
  });

  it('#3 a flight that fails rejects all its callers with the same failure', async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = 100;
    world.platform.outage = { status: 503 };
    const callers = times(100, () => world.tokens.getTenantAccessToken());

    const failures = await world.settle(Promise.all(callers.map(failureOf)));

    expect(new Set(failures).size).toBe(1);
    expect(failures[0]).toMatchObject(UNAVAILABLE);
    // A blocking flight makes three attempts, also for 100 callers.
    expect(world.platform.calls).toHaveLength(3);
    expect(tenantMetrics(world)).toMatchObject({ waits: 100, misses: 1, refresh: { failure: 3 } });
  });

  it('#4 after a failed flight, the first call after the pause tries again', async () => {
    const world = new TokenWorld();
    world.platform.outage = { status: 503 };
    const failure = await failureOf(world.settle(world.tokens.getTenantAccessToken()));
    const callsOfTheFlight = world.platform.calls.length;
    world.platform.outage = undefined;

    const coolDown = Number((failure as FeishuAuthError).retryAt) - world.clock.now();
    await world.clock.advance(coolDown - 1);
    const refused = await failureOf(world.tokens.getTenantAccessToken());
    expect(refused).toMatchObject(UNAVAILABLE);
    expect(refused).not.toBe(failure);
    expect(world.platform.calls).toHaveLength(callsOfTheFlight);

    await world.clock.advance(1);
    await expect(world.tokens.getTenantAccessToken()).resolves.toContain('tenant');
    expect(world.platform.calls).toHaveLength(callsOfTheFlight + 1);
    expect(tenantMetrics(world)).toMatchObject({ waits: 2, failedFast: 1, requests: 3 });
  });

  it.each<[string, () => Promise<Response>]>([
    [
      'throws synchronously',
      () => {
        throw new Error('not even a promise');
      },
    ],
    ['returns undefined', () => undefined as unknown as Promise<Response>],
    ['resolves with undefined', () => Promise.resolve(undefined as unknown as Response)],
    ['rejects with undefined', () => Promise.reject(undefined)],
    ['rejects with a string', () => Promise.reject('reset')],
  ])(
    '#5 a fetch that %s rejects all callers with a typed error, and the slot is free again',
    async (_, misbehave) => {
      let isBroken = true;
      const world = worldBehind(
        (platform) =>
          (...request) =>
            isBroken ? misbehave() : platform.fetch(...request),
      );
      const callers = times(3, () => world.tokens.getTenantAccessToken());

      const failures = await world.settle(Promise.all(callers.map(failureOf)));
      for (const failure of failures) {
        expect(isFeishuAuthError(failure)).toBe(true);
        expect(failure).toMatchObject(UNAVAILABLE);
      }

      isBroken = false;
      await world.clock.advance(MINUTE);
      await expect(world.tokens.getTenantAccessToken()).resolves.toContain('tenant');
    },
  );

  it('#6 a fetch that never settles is aborted after 5 s, and its late answer is ignored', async () => {
    const requests: { signal: AbortSignal; answer: (response: Response) => void }[] = [];
    const world = new TokenWorld({
      fetch: (_, init) =>
        new Promise((answer) => requests.push({ signal: init?.signal as AbortSignal, answer })),
    });
    const caller = world.tokens.getTenantAccessToken();
    await world.clock.advance(5 * SECOND - 1);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false]);
    await world.clock.advance(1);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);

    await world.clock.advance(200);
    requests[1]?.answer(tokenResponse('in-time'));
    await expect(caller).resolves.toBe('in-time');

    requests[0]?.answer(tokenResponse('too-late'));
    await TestClock.settle();
    await expect(world.tokens.getTenantAccessToken()).resolves.toBe('in-time');
    expect(requests).toHaveLength(2);
  });

  it('#6 a caller waits at most 8 s for a Feishu that never answers, and the slot is free again', async () => {
    const world = new TokenWorld();
    world.platform.outage = { hangs: true };
    const caller = failureOf(world.tokens.getTenantAccessToken());

    await world.clock.advance(8 * SECOND - 1);
    expect(await settledAtOnce(caller)).toBeUndefined();
    await world.clock.advance(1);
    expect(await settledAtOnce(caller)).toMatchObject(UNAVAILABLE);

    world.platform.outage = undefined;
    await world.clock.advance(SECOND);
    await expect(world.tokens.getTenantAccessToken()).resolves.toContain('tenant');
  });

  it('#6 a background flight that hangs ends after 5 s, and the next one succeeds', async () => {
    const { world, first } = await warmWorld();
    world.platform.next({ hangs: true });
    await world.clock.advance(REFRESH_AT);
    await expect(world.tokens.getTenantAccessToken()).resolves.toBe(first);

    await world.clock.advance(5 * SECOND - 1);
    expect(tenantMetrics(world).refresh.failure).toBe(0);
    await world.clock.advance(1);
    expect(tenantMetrics(world).refresh.failure).toBe(1);

    await world.clock.advance(SECOND);
    world.tokens.handle(TENANT).peek();
    await TestClock.settle();
    await expect(world.tokens.getTenantAccessToken()).resolves.not.toBe(first);
  });

  it('#7 an old flight that ends late does not clear the newer flight', async () => {
    const { world, first } = await warmWorld();
    world.platform.latencyMs = 3 * SECOND;
    const old = world.tokens.refresh(TENANT);
    await world.clock.advance(SECOND);

    expect(await world.tokens.invalidate(TENANT, first)).toBe(true);
    world.platform.revoke(first);
    await TestClock.settle(); // the old flight is over, the newer one under way
    const callers = times(10, () => world.tokens.getTenantAccessToken());

    const values = await world.settle(Promise.all([...callers, old.then(({ value }) => value)]));
    expect(new Set(values).size).toBe(1);
    expect(values).not.toContain(first);
    // The first token, the flight that was called off, and one newer flight for all.
    expect(world.platform.calls).toHaveLength(3);
  });

  it('#8 a caller that aborts rejects alone with its reason; the flight goes on, and its token is held', async () => {
    const world = new TokenWorld();
    world.platform.latencyMs = 500;
    const impatient = new AbortController();
    const reason = new Error('the user went away');
    const aborted = failureOf(world.tokens.getTenantAccessToken({ signal: impatient.signal }));
    const patient = world.tokens.getTenantAccessToken();

    await world.clock.advance(100);
    impatient.abort(reason);
    await TestClock.settle();
    expect(await settledAtOnce(aborted)).toBe(reason);
    expect(await settledAtOnce(patient)).toBeUndefined();

    const value = await world.settle(patient);
    await expect(world.tokens.getTenantAccessToken()).resolves.toBe(value);
    expect(world.platform.calls).toHaveLength(1);
  });

  it('#8 a caller whose signal is already aborted starts no flight', async () => {
    const world = new TokenWorld();
    const reason = new Error('gone before it came');
    const aborted = world.tokens.getTenantAccessToken({ signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
    await TestClock.settle();
    expect(world.platform.calls).toHaveLength(0);
  });

  it('#9 after all callers aborted, the token is still held and published', async () => {
    const shared = fleetShared();
    const world = new TokenWorld({ ...shared });
    shared.platform.latencyMs = 500;
    const controllers = times(20, () => new AbortController());
    const callers = controllers.map(({ signal }) => failureOf(world.tokens.getTenantAccessToken({ signal })));
    await shared.clock.advance(100);
    for (const controller of controllers) controller.abort();
    const failures = await Promise.all(callers);
    expect(failures.map((failure) => (failure as Error).name)).toEqual(times(20, () => 'AbortError'));

    await shared.clock.advance(400);
    const value = world.tokens.handle(TENANT).peek();
    expect(value).toContain('tenant');
    const neighbour = new TokenWorld({ ...shared });
    expect(await neighbour.settle(neighbour.tokens.getTenantAccessToken())).toBe(value);
    expect(shared.platform.calls).toHaveLength(1);
  });

  describe('#10 re-entrancy: a custom fetch that asks for a token', () => {
    it('#10 of the same key gets an error that names the mistake at once', async () => {
      const world = worldBehind((platform) => async (...request) => {
        await world.tokens.getTenantAccessToken();
        return platform.fetch(...request);
      });
      const failure = failureOf(world.tokens.getTenantAccessToken());
      await TestClock.settle();
      expect(await settledAtOnce(failure)).toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        message: expect.stringContaining('asked for this token itself'),
      });
    });

    it('#10 of a key whose fetch asks for the first key gets the same error', async () => {
      const world = worldBehind((platform) => async (...request) => {
        await (isForTenant(request) ? world.tokens.getAppAccessToken() : world.tokens.getTenantAccessToken());
        return platform.fetch(...request);
      });
      const failure = failureOf(world.tokens.getTenantAccessToken());
      await TestClock.settle();
      expect(await settledAtOnce(failure)).toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    });

    it('#10 of the same key outside the async context fails at the deadline, and the error names the cause', async () => {
      const elsewhere = AsyncLocalStorage.snapshot();
      const world = worldBehind((platform) => async (...request) => {
        await elsewhere(() => world.tokens.getTenantAccessToken());
        return platform.fetch(...request);
      });
      const failure = failureOf(world.tokens.getTenantAccessToken());
      await world.clock.advance(8 * SECOND);
      expect(await settledAtOnce(failure)).toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('custom fetch'),
      });
    });

    it('#10 of the same key while a token is held gets the held token, and the renewal succeeds', async () => {
      const seen: string[] = [];
      const world = worldBehind((platform) => async (...request) => {
        if (platform.calls.length > 0) seen.push(await world.tokens.getTenantAccessToken());
        return platform.fetch(...request);
      });
      const first = await world.settle(world.tokens.getTenantAccessToken());
      await world.clock.advance(REFRESH_AT);
      await world.tokens.getTenantAccessToken();
      await TestClock.settle();
      expect(seen).toEqual([first]);
      await expect(world.tokens.getTenantAccessToken()).resolves.not.toBe(first);
    });

    it('#10 of another key gets its token', async () => {
      const seen: string[] = [];
      const world = worldBehind((platform) => async (...request) => {
        if (isForTenant(request)) seen.push(await world.tokens.getAppAccessToken());
        return platform.fetch(...request);
      });
      await expect(world.settle(world.tokens.getTenantAccessToken())).resolves.toContain('tenant');
      expect(seen).toEqual([expect.stringContaining('app')]);
    });
  });
});

const tokenResponse = (value: string): Response => new Response(granting(value, 7_200).body);

function isForTenant([url]: Parameters<typeof fetch>): boolean {
  return (url as string).includes('tenant_access_token');
}
