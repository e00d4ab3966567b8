import { InProcessRefreshLock } from '../lock/in-process-refresh-lock.js';
import { RefreshLock, type RefreshLease, type RefreshLockOptions } from '../lock/refresh-lock.js';
import { refreshLockConformance } from './refresh-lock-conformance.js';

interface Case {
  name: string;
  body: () => Promise<void>;
}

/** The cases of the suite, collected instead of handed to Jest. */
function casesFor(makeLock: () => RefreshLock | Promise<RefreshLock>): Case[] {
  const globals = globalThis as { describe?: unknown; it?: unknown };
  const { describe, it } = globals;
  const cases: Case[] = [];
  globals.describe = (_: string, body: () => void): void => body();
  globals.it = (name: string, body: () => Promise<void>): void => void cases.push({ name, body });
  try {
    refreshLockConformance(makeLock);
  } finally {
    Object.assign(globals, { describe, it });
  }
  return cases;
}

/** What the suite finds wrong with a lock, case by case. */
async function findings(makeLock: () => RefreshLock | Promise<RefreshLock>): Promise<string[]> {
  const verdicts = await Promise.all(
    casesFor(makeLock).map(({ body }) =>
      body().then(
        () => [],
        (error: Error) => [error.message],
      ),
    ),
  );
  return verdicts.flat();
}

/** Resolves as soon as a case finds `rule` broken; rejects when none does. */
async function expectFinding(makeLock: () => RefreshLock, rule: string): Promise<void> {
  const hunts = casesFor(makeLock).map(async ({ body }) => {
    const error = await body().then(
      () => undefined,
      (found: Error) => found,
    );
    // Not by expect(): what is still under way when the rule was found broken ends after the test.
    if (!error?.message.startsWith(`RefreshLock contract broken: ${rule}`))
      throw error ?? new Error('passed');
  });
  await Promise.any(hunts);
}

/** A good lock, to be broken in one way. */
class BrokenLock extends RefreshLock {
  protected readonly good = new InProcessRefreshLock();

  acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    return this.good.acquire(key, options);
  }
}

class Lavish extends BrokenLock {
  private count = 0;
  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    return this.good.acquire(`${key}${this.count++}`, options);
  }
}

class Refusing extends BrokenLock {
  override acquire(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

class OneForAll extends BrokenLock {
  override acquire(_: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    return this.good.acquire('one key', options);
  }
}

/** Looks, thinks, takes: whoever looks meanwhile takes it too. */
class CheckThenAct extends BrokenLock {
  private readonly held = new Set<string>();
  override async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    if (this.held.has(key)) return undefined;
    await Promise.resolve();
    this.held.add(key);
    const lease = await this.good.acquire(`${key}${Math.random()}`, options);
    const release = async (): Promise<void> => {
      this.held.delete(key);
      await lease?.release();
    };
    return lease && { isHeld: () => lease.isHeld(), release };
  }
}

class NeverReleasing extends BrokenLock {
  override async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const lease = await super.acquire(key, options);
    return lease && { isHeld: () => lease.isHeld(), release: () => Promise.resolve() };
  }
}

/** Releases whatever lease the key has now: a Redis lock that deletes without comparing. */
class Careless extends BrokenLock {
  private readonly current = new Map<string, RefreshLease>();
  override async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const lease = await super.acquire(key, options);
    if (!lease) return undefined;
    this.current.set(key, lease);
    return { isHeld: () => lease.isHeld(), release: async () => this.current.get(key)?.release() };
  }
}

class Eternal extends BrokenLock {
  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    return super.acquire(key, { ...options, ttlMs: 3_600_000 });
  }
}

class Boastful extends BrokenLock {
  override async acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const lease = await super.acquire(key, options);
    return lease && { isHeld: () => true, release: () => lease.release() };
  }
}

class Impatient extends BrokenLock {
  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    return super.acquire(key, { ...options, waitMs: 0 });
  }
}

class Patient extends BrokenLock {
  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const waitMs = options.waitMs === 150 ? 1_600 : options.waitMs;
    return super.acquire(key, { ...options, waitMs });
  }
}

class Deaf extends BrokenLock {
  override acquire(key: string, options: RefreshLockOptions): Promise<RefreshLease | undefined> {
    const waitMs = options.signal ? 1_600 : options.waitMs;
    return super.acquire(key, { ttlMs: options.ttlMs, waitMs });
  }
}

/** Heeds the abort, and takes the key all the same as soon as it is free. */
class Lingering extends BrokenLock {
  override acquire(
    key: string,
    { signal, ...options }: RefreshLockOptions,
  ): Promise<RefreshLease | undefined> {
    const asked = super.acquire(key, options);
    if (!signal) return asked;
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
      void asked.then(resolve);
    });
  }
}

describe('refreshLockConformance', () => {
  it('finds nothing wrong with a good lock', async () => {
    const lock = new InProcessRefreshLock();
    expect(await findings(() => lock)).toEqual([]);
    expect(await findings(async () => lock)).toEqual([]);
  });

  it('names its cases apart', () => {
    const names = casesFor(() => new InProcessRefreshLock()).map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(9);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each<[what: string, lock: BrokenLock, found: string]>([
    ['gives the key to everybody', new Lavish(), 'the same instance is refused'],
    ['gives the key to nobody', new Refusing(), 'a free key gives a lease that is held'],
    ['has one lock for all keys', new OneForAll(), 'two keys, two leases'],
    ['looks before it takes', new CheckThenAct(), 'one of 20 has the lease, not 20'],
    ['does not release', new NeverReleasing(), 'a released lease is not held'],
    ["releases somebody else's lease", new Careless(), 'a second release frees nothing'],
    [
      'takes away who came after it ran out',
      new Careless(),
      'the late release does not take away the next lease',
    ],
    ['has leases that do not run out', new Eternal(), 'the key is free when the lease has run out'],
    ['says it is held when it is not', new Boastful(), 'a released lease is not held'],
    ['says it is held when it ran out', new Boastful(), 'a lease that ran out is not held'],
    ['does not wait', new Impatient(), 'who waited has it'],
    ['waits longer than it was told', new Patient(), 'after about 150 ms, not '],
    ['does not heed the signal', new Deaf(), 'and at once'],
    ['takes the key after the abort', new Lingering(), 'and leaves no lock behind'],
  ])('catches a lock that %s', async (_, lock, found) => {
    await expectFinding(() => lock, found);
  });

  it('catches locks that only exclude within one instance', async () => {
    await expectFinding(() => new InProcessRefreshLock(), 'another instance is refused');
  });
});
