import { jest } from '@jest/globals';
import { TestClock } from '../../lib/testing/test-clock.js';
import { isFeishuAuthError } from '../../lib/errors/feishu-auth.error.js';
import { LoginFleet, USER, type LoginProcess } from '../fixtures/login-fleet.js';
import { networkError } from '../fixtures/scripted-oauth.js';

jest.setTimeout(120_000);

const MINUTE = 60_000;

/** A world in which a rotation is about to begin. */
interface Scene {
  readonly fleet: LoginFleet;
  readonly process: LoginProcess;
  /** What `process` does, up to its end or its crash. */
  readonly run: () => Promise<unknown>;
}

interface Variant {
  readonly name: string;
  readonly journal: boolean;
  readonly make: (journal: boolean) => Promise<Scene>;
}

async function newFleet(journal: boolean): Promise<{ fleet: LoginFleet; process: LoginProcess }> {
  const fleet = new LoginFleet({ journal });
  const process = fleet.process();
  await fleet.logIn(process);
  await fleet.settle(process.read());
  return { fleet, process };
}

/** Lets a process do its work for a while; it may fail or crash on the way. */
async function work(fleet: LoginFleet, started: Promise<unknown>, ms = 2_000): Promise<void> {
  started.catch(() => undefined);
  await fleet.clock.advance(ms);
}

const KINDS: readonly Pick<Variant, 'name' | 'make'>[] = [
  {
    name: 'a rotation ahead of the end',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('due');
      return { fleet, process, run: () => work(fleet, process.sweep()) };
    },
  },
  {
    name: 'a rotation that a caller waits for',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('dead');
      return { fleet, process, run: () => work(fleet, process.read()) };
    },
  },
  {
    name: 'a rotation whose first request is refused by the network',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('due');
      fleet.feishu.next({ throws: networkError('ECONNREFUSED') });
      return { fleet, process, run: () => work(fleet, process.sweep()) };
    },
  },
  {
    name: 'a rotation whose request is lost',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('due');
      fleet.feishu.next({ throws: networkError('ECONNRESET') });
      return { fleet, process, run: () => work(fleet, process.sweep()) };
    },
  },
  {
    name: 'a rotation that Feishu refuses for the moment',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('due');
      const later = { status: 503, body: { code: 20072 } };
      fleet.feishu.next(later, later);
      return { fleet, process, run: () => work(fleet, process.sweep()) };
    },
  },
  {
    name: 'a rotation whose result the store does not take at first',
    make: async (journal) => {
      const { fleet, process } = await newFleet(journal);
      await fleet.advanceTo('due');
      return {
        fleet,
        process,
        run: async () => {
          const isExchanged = (): boolean =>
            fleet.feishu.exchanges.length > 0 && !fleet.feishu.isLive('u-refresh-1');
          fleet.store.fault = () => (isExchanged() ? Promise.reject(new Error('down')) : undefined);
          await work(fleet, process.sweep());
          fleet.store.up();
          await work(fleet, Promise.resolve(), MINUTE);
        },
      };
    },
  },
];

const VARIANTS: readonly Variant[] = KINDS.flatMap((kind) =>
  [false, true].map((journal) => ({ ...kind, journal })),
);

/** How many points the process passes when nothing happens to it. */
async function countPoints({ make, journal }: Variant): Promise<number> {
  const { process, run } = await make(journal);
  process.gate.crashAtPoint(Infinity);
  await run();
  return process.gate.passed.length;
}

/** The end that the next process comes to: it looks at once, after the claim, and every minute once the token is dead. */
async function endAt(fleet: LoginFleet, next: LoginProcess): Promise<string> {
  for (let look = 0; look < 20; look++) {
    if (look === 3) await fleet.advanceTo('dead');
    try {
      const token = await fleet.settle(next.read());
      const refresh = (await fleet.login())?.tokens?.refresh;
      // A token of before the crash says nothing yet about what comes after it.
      if (fleet.feishu.accepts(token) && fleet.feishu.isLive(refresh)) return 'usable';
    } catch (error) {
      if (isFeishuAuthError(error, 'ERR_FEISHU_REAUTHORIZATION_REQUIRED')) return error.reason ?? 'no reason';
      if (!isFeishuAuthError(error) || !error.retryable) throw error;
    }
    await fleet.clock.advance(MINUTE);
  }
  return 'none';
}

/** Whether Feishu has used a refresh token whose successor is nowhere but in the memory of a dead process. */
async function isLost(fleet: LoginFleet): Promise<boolean> {
  const refresh = (await fleet.login())?.tokens?.refresh;
  const isConsumed = refresh !== undefined && !fleet.feishu.isLive(refresh);
  return (
    isConsumed &&
    !fleet.cache.keys.some((key) => key.includes(':journal:') && isEntry(fleet.cache.value(key)))
  );
}

function isEntry(record: unknown): boolean {
  return typeof record === 'object' && record !== null && 'sealed' in record && record.sealed !== undefined;
}

describe('a crash at every point of a rotation', () => {
  it.each(
    VARIANTS.map(
      (variant) => [`${variant.name}, ${variant.journal ? 'with' : 'without'} a journal`, variant] as const,
    ),
  )('#56 #57 %s', async (_name, variant) => {
    const points = await countPoints(variant);
    expect(points).toBeGreaterThan(6);
    const lostAt: string[] = [];
    for (let point = 0; point < points; point++) {
      const { fleet, process, run } = await variant.make(variant.journal);
      process.gate.crashAtPoint(point);
      await run();
      expect(process.gate.crashed).toBe(true);
      fleet.store.up();
      const lost = await isLost(fleet);
      const next = fleet.process();
      const end = await endAt(fleet, next);
      expect([point, process.gate.passed.at(-1), end]).toEqual([
        point,
        process.gate.passed.at(-1),
        lost ? 'outcome-lost' : 'usable',
      ]);
      // A refresh token that Feishu has used is sent again only where the login is lost already.
      expect(fleet.feishu.replays).toHaveLength(lost ? 1 : 0);
      if (lost) lostAt.push(process.gate.passed.at(-1) ?? '');
    }
    // The answer is lost between its arrival and the first write of it, and, without a journal, while the store is down.
    for (const last of lostAt) {
      expect(last).toMatch(
        variant.journal ? /^(fetch|cache\.set, before|store\.put, before)/ : /^(fetch|store|timer)/,
      );
    }
  });

  // The next process recovers, and crashes on its part.
  it.each(['fetch, before', 'fetch, after', 'cache.set, after'])(
    '#57 the process that recovers from a crash at "%s" crashes as well, at every point',
    async (first) => {
      const make = async (): Promise<{
        fleet: LoginFleet;
        second: LoginProcess;
        run: () => Promise<void>;
      }> => {
        const { fleet, process } = await newFleet(true);
        await fleet.advanceTo('due');
        if (first.startsWith('cache')) {
          fleet.store.fault = () =>
            fleet.feishu.isLive('u-refresh-1') ? undefined : new Promise(() => undefined);
        }
        process.gate.pauseAtPoint(first);
        process.sweep().catch(() => undefined);
        await TestClock.settle();
        expect(process.gate.isPaused).toBe(true);
        process.gate.crash();
        fleet.store.up();
        const second = fleet.process();
        await fleet.settle(second.read());
        await fleet.advanceTo('dead');
        const run = async (): Promise<void> => {
          await work(fleet, second.read());
          await work(fleet, Promise.resolve(), 2 * MINUTE);
          if (!second.gate.crashed) await work(fleet, second.read());
        };
        return { fleet, second, run };
      };
      const whole = await make();
      whole.second.gate.crashAtPoint(Infinity);
      await whole.run();
      const points = whole.second.gate.passed.length;
      expect(points).toBeGreaterThan(5);
      for (let point = 0; point < points; point++) {
        const { fleet, second, run } = await make();
        second.gate.crashAtPoint(point);
        await run();
        const login = await fleet.login();
        const lost = login?.ended !== undefined || (await isLost(fleet));
        const end = await endAt(fleet, fleet.process());
        expect([point, second.gate.passed.at(-1), end]).toEqual([
          point,
          second.gate.passed.at(-1),
          lost ? 'outcome-lost' : 'usable',
        ]);
      }
    },
  );

  it('no point of the login itself leaves half a login', async () => {
    const make = (): { fleet: LoginFleet; process: LoginProcess } => {
      const fleet = new LoginFleet({ journal: true });
      return { fleet, process: fleet.process() };
    };
    const begin = ({ fleet, process }: ReturnType<typeof make>): Promise<void> =>
      work(fleet, process.engine.logins.begin({ openId: USER, scopes: [] }, fleet.feishu.authorize(USER)));
    const whole = make();
    await begin(whole);
    for (let point = 0; point < whole.process.gate.passed.length; point++) {
      const world = make();
      world.process.gate.crashAtPoint(point);
      await begin(world);
      const status = await world.fleet.process().status();
      expect(['active', 'absent']).toContain(status.state);
    }
  });
});
