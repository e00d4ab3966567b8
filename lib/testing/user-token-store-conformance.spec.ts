import { InMemoryUserTokenStore } from '../users/store/in-memory-user-token-store.js';
import { UserTokenStore } from '../users/store/user-token-store.js';
import {
  userTokenStoreConformance,
  type UserTokenStoreConformanceOptions,
} from './user-token-store-conformance.js';

type PutOptions = { dueAt?: Date | undefined };
type StoredRecord = { value: string; version: string } | undefined;

/** The cases of the suite, collected instead of handed to Jest. */
function casesFor(
  makeStore: () => UserTokenStore,
  options?: UserTokenStoreConformanceOptions,
): { name: string; body: () => Promise<void> }[] {
  const cases: { name: string; body: () => Promise<void> }[] = [];
  userTokenStoreConformance(makeStore, {
    describe: (_, body) => body(),
    it: (name, body) => cases.push({ name, body }),
    ...options,
  });
  return cases;
}

/** What the suite finds wrong, one text for each case that fails. One case after the other: they share a backend. */
async function findings(
  makeStore: () => UserTokenStore,
  options?: UserTokenStoreConformanceOptions,
): Promise<string[]> {
  const found: string[] = [];
  for (const { body } of casesFor(makeStore, options)) {
    await body().catch((error: Error) => found.push(error.message));
  }
  return found;
}

/** A good store, to be broken in one way. */
class BrokenStore extends UserTokenStore {
  protected readonly good = new InMemoryUserTokenStore();

  get(key: string): Promise<StoredRecord> {
    return this.good.get(key);
  }

  put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: PutOptions,
  ): Promise<string | undefined> {
    return this.good.put(key, value, ifVersion, options);
  }

  delete(key: string, ifVersion: string): Promise<boolean> {
    return this.good.delete(key, ifVersion);
  }

  override dueBefore(time: Date, limit: number): Promise<string[]> {
    return this.good.dueBefore(time, limit);
  }

  protected async overwrite(key: string, value: string, options?: PutOptions): Promise<string | undefined> {
    return this.good.put(key, value, (await this.good.get(key))?.version ?? null, options);
  }
}

class Upserting extends BrokenStore {
  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return ifVersion === null
      ? this.overwrite(key, value, options)
      : super.put(key, value, ifVersion, options);
  }
}

class IgnoringVersions extends BrokenStore {
  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const isPresent = (await this.good.get(key)) !== undefined;
    return isPresent === (ifVersion !== null) ? this.overwrite(key, value, options) : undefined;
  }
}

class CreatingOnUpdate extends BrokenStore {
  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return super.put(key, value, (await this.good.get(key)) === undefined ? null : ifVersion, options);
  }
}

/** Reads, thinks, writes: all writers that read before the first write win. */
class CheckingThenWriting extends BrokenStore {
  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const isCurrent = ((await this.good.get(key))?.version ?? null) === ifVersion;
    await new Promise(setImmediate);
    return isCurrent ? this.overwrite(key, value, options) : undefined;
  }
}

/** As a database whose driver counts changed rows: the same value does not change one. */
class SkippingEqualValues extends BrokenStore {
  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const record = await this.good.get(key);
    if (record?.version === ifVersion && record?.value === value) return undefined;
    return super.put(key, value, ifVersion, options);
  }
}

class HashingVersions extends BrokenStore {
  private readonly real = new Map<string, string>();

  private shown(version: string): string {
    return [...this.real].find(([, real]) => real === version)?.[0] ?? version;
  }

  override async get(key: string) {
    const record = await this.good.get(key);
    return record && { ...record, version: this.shown(record.version) };
  }

  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const real = ifVersion === null ? null : (this.real.get(ifVersion) ?? ifVersion);
    const version = await this.good.put(key, value, real, options);
    if (version === undefined) return undefined;
    this.real.set(`hash of ${key} ${value}`, version);
    return `hash of ${key} ${value}`;
  }

  override delete(key: string, ifVersion: string) {
    return this.good.delete(key, this.real.get(ifVersion) ?? ifVersion);
  }
}

/** `version = version + 1`, from 1 for every new row. */
class CountingPerRecord extends BrokenStore {
  private readonly rows = new Map<string, { value: string; version: string }>();

  override async get(key: string) {
    return this.rows.get(key);
  }

  override async put(key: string, value: string, ifVersion: string | null) {
    const current = this.rows.get(key)?.version ?? null;
    if (current !== ifVersion) return undefined;
    const version = String(Number(current ?? 0) + 1);
    this.rows.set(key, { value, version });
    return version;
  }

  override async delete(key: string, ifVersion: string) {
    return this.rows.get(key)?.version === ifVersion && this.rows.delete(key);
  }
}

class DeletingAnything extends BrokenStore {
  override async delete(key: string) {
    const version = (await this.good.get(key))?.version;
    return version !== undefined && this.good.delete(key, version);
  }
}

class DeletingNothing extends BrokenStore {
  override async delete(key: string, ifVersion: string) {
    return (await this.good.get(key))?.version === ifVersion;
  }
}

class AlwaysDeleted extends BrokenStore {
  override async delete(key: string, ifVersion: string) {
    await super.delete(key, ifVersion);
    return true;
  }
}

/** As `VARCHAR` with a case-insensitive collation that ignores spaces at the end. */
class CollatingKeys extends BrokenStore {
  override get(key: string) {
    return super.get(key.toLowerCase().trimEnd());
  }

  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return super.put(key.toLowerCase().trimEnd(), value, ifVersion, options);
  }
}

class CuttingKeys extends BrokenStore {
  override get(key: string) {
    return super.get(key.slice(0, 255));
  }

  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return super.put(key.slice(0, 255), value, ifVersion, options);
  }
}

/** As `TEXT` of MySQL without strict mode. */
class CuttingValues extends BrokenStore {
  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return super.put(key, value.slice(0, 65_535), ifVersion, options);
  }
}

class ThreeByteCharacters extends BrokenStore {
  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    return super.put(key, value.replaceAll(/\p{Extended_Pictographic}/gu, '?'), ifVersion, options);
  }
}

class LosingEmptyValues extends BrokenStore {
  override async get(key: string) {
    const record = await super.get(key);
    return record?.value === '' ? undefined : record;
  }
}

/** Value and version in two places, read one after the other. */
class Tearing extends BrokenStore {
  override async get(key: string) {
    const before = await super.get(key);
    await new Promise(setImmediate);
    const after = await super.get(key);
    return before && after && { value: before.value, version: after.version };
  }

  override async put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    await new Promise(setImmediate);
    return super.put(key, value, ifVersion, options);
  }
}

class DueInclusive extends BrokenStore {
  override dueBefore(time: Date, limit: number) {
    return super.dueBefore(new Date(time.getTime() + 1), limit);
  }
}

class DueUnlimited extends BrokenStore {
  override dueBefore(time: Date) {
    return super.dueBefore(time, 1_000);
  }
}

class DueUnordered extends BrokenStore {
  override async dueBefore(time: Date, limit: number) {
    return (await super.dueBefore(time, limit)).toSorted();
  }
}

class DueInSeconds extends BrokenStore {
  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const dueAt = options?.dueAt && new Date(Math.floor(options.dueAt.getTime() / 1_000) * 1_000);
    return super.put(key, value, ifVersion, { dueAt });
  }
}

class KeepingDates extends BrokenStore {
  private readonly dates = new Map<string, Date | undefined>();

  override put(key: string, value: string, ifVersion: string | null, options?: PutOptions) {
    const dueAt = options?.dueAt ?? this.dates.get(key);
    this.dates.set(key, dueAt);
    return super.put(key, value, ifVersion, { dueAt });
  }
}

/** As 0.6 of a known OAuth client had it: what cannot be read is taken for absent. */
class SwallowingFailures extends UserTokenStore {
  async get(): Promise<undefined> {}
  async put(): Promise<undefined> {}
  async delete(): Promise<boolean> {
    return false;
  }
}

describe('userTokenStoreConformance', () => {
  it('finds nothing wrong with a good store', async () => {
    const store = new InMemoryUserTokenStore();
    expect(await findings(() => store)).toEqual([]);
  });

  it('finds nothing wrong with a good store that lists no due logins', async () => {
    const store = new InMemoryUserTokenStore();
    Object.assign(store, { dueBefore: undefined });
    expect(await findings(() => store)).toEqual([]);
  });

  it('gives every case another name', () => {
    const names = casesFor(() => new InMemoryUserTokenStore()).map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(18);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each<[what: string, store: UserTokenStore, found: string]>([
    ['overwrites a record that should be absent', new Upserting(), 'put with null refuses a present record'],
    ['overwrites a newer record', new IgnoringVersions(), 'put with a stale version is refused'],
    ['creates a record that should be present', new CreatingOnUpdate(), 'refuses an absent record'],
    ['compares and sets in two steps', new CheckingThenWriting(), 'one of 50 writers wins, not 50'],
    ['takes the same value for no write', new SkippingEqualValues(), 'put with the current version succeeds'],
    ['derives the version from the value', new HashingVersions(), 'put gives a new version'],
    [
      'counts versions anew for each record',
      new CountingPerRecord(),
      'no old version fits a record made again',
    ],
    ['deletes without comparing', new DeletingAnything(), 'delete with a stale version is refused'],
    ['does not delete', new DeletingNothing(), 'a deleted record is absent'],
    ['says that it deleted what it did not', new AlwaysDeleted(), 'either the put or the delete succeeds'],
    [
      'ignores case and trailing spaces in keys',
      new CollatingKeys(),
      'put with null creates an absent record',
    ],
    ['cuts long keys', new CuttingKeys(), 'put with null creates an absent record'],
    ['cuts long values', new CuttingValues(), 'the value is as it was written ("xxxx'],
    ['loses characters of four bytes', new ThreeByteCharacters(), 'the value is as it was written'],
    ['takes an empty value for absence', new LosingEmptyValues(), 'a record that was written is there'],
    [
      'reads value and version separately',
      new Tearing(),
      'a read gives the value that its version belongs to',
    ],
    ['lists what is due at the very date', new DueInclusive(), 'dueBefore(2000 ms, 1000) gives'],
    ['ignores the limit', new DueUnlimited(), 'dueBefore(10000 ms, 2) gives'],
    ['lists due records in another order', new DueUnordered(), 'dueBefore(10000 ms, 1000) gives'],
    ['keeps dates in seconds', new DueInSeconds(), 'dueBefore(4102444799999 ms, 1000) gives []'],
    ['keeps the date of the record before', new KeepingDates(), 'dueBefore(10000 ms, 1000) gives []'],
  ])('catches a store that %s', async (_, store, found) => {
    expect(await findings(() => store)).toContainEqual(expect.stringContaining(found));
  });

  it('catches a store whose records no other process sees', async () => {
    const found = await findings(() => new InMemoryUserTokenStore());
    expect(found).toContain('UserTokenStore contract broken: a record that was written is there');
  });

  it('catches a store that answers "absent" when its backend fails', async () => {
    const good = new InMemoryUserTokenStore();
    const makeFailingStore = (): UserTokenStore => new SwallowingFailures();
    expect(await findings(() => good, { makeFailingStore })).toEqual([
      'UserTokenStore contract broken: get throws when the backend fails',
    ]);
  });

  it('says how to pass the functions of a test runner that has no globals', () => {
    const store = new InMemoryUserTokenStore();
    const globals = globalThis as { describe?: unknown; it?: unknown };
    const { describe, it } = globals;
    Object.assign(globals, { describe: undefined, it: undefined });
    try {
      expect(() => userTokenStoreConformance(() => store)).toThrow('second argument: { describe, it }');
    } finally {
      Object.assign(globals, { describe, it });
    }
  });
});
