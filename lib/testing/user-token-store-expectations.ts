import { type UserTokenStore } from '../users/store/user-token-store.js';

/** How many writers ask at once. */
export const WRITERS = 50;

let keyCount = 0;
export const newKey = (): string => `conformance:{${process.pid}-${Date.now()}-${keyCount++}}:`;

export const valueOf = (i: number): string => String(i).repeat(5_000);

/** The version of the record that it creates. */
export async function created(
  store: UserTokenStore,
  key: string,
  value: string,
  dueAt?: number,
): Promise<string> {
  const version = await store.put(key, value, null, optionsOf(dueAt));
  if (version === undefined) throw broken('put with null creates an absent record');
  check(typeof version === 'string' && version !== '', 'a version is a text that is not empty');
  return version;
}

/** The version of the record that it replaces. */
export async function replaced(
  store: UserTokenStore,
  key: string,
  value: string,
  ifVersion: string,
  dueAt?: number,
): Promise<string> {
  const version = await store.put(key, value, ifVersion, optionsOf(dueAt));
  if (version === undefined) throw broken('put with the current version succeeds');
  check(version !== ifVersion, 'put gives a new version');
  return version;
}

export async function deleted(store: UserTokenStore, key: string, ifVersion: string): Promise<void> {
  check(await store.delete(key, ifVersion), 'delete with the current version succeeds');
}

const optionsOf = (dueAt: number | undefined): { dueAt: Date } | undefined =>
  dueAt === undefined ? undefined : { dueAt: new Date(dueAt) };

export async function expectRecord(
  store: UserTokenStore,
  key: string,
  value: string,
  version: string | undefined,
): Promise<void> {
  const record = await store.get(key);
  check(record !== undefined, 'a record that was written is there');
  check(record?.value === value, `the value is as it was written (${JSON.stringify(value.slice(0, 40))})`);
  check(record?.version === version, 'get gives the version that put gave');
}

/** Many writers in two processes, all with the same version. */
export async function expectOneWinner(
  stores: readonly [UserTokenStore, UserTokenStore],
  key: string,
  ifVersion: string | null,
): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => stores[i % 2 ? 1 : 0].put(key, `writer ${i}`, ifVersion)),
  );
  const winners = [...answers.entries()].filter(([, version]) => version !== undefined);
  check(winners.length === 1, `one of ${WRITERS} writers wins, not ${winners.length}`);
  for (const [i, version] of winners) await expectRecord(stores[0], key, `writer ${i}`, version);
}

type ListingStore = UserTokenStore & Required<Pick<UserTokenStore, 'dueBefore'>>;

export const listsDue = (store: UserTokenStore): store is ListingStore => store.dueBefore !== undefined;

export async function expectDue(
  store: ListingStore,
  time: number,
  keys: readonly string[],
  limit = 1_000,
): Promise<void> {
  const found = JSON.stringify(await store.dueBefore(new Date(time), limit));
  const wanted = JSON.stringify(keys);
  check(found === wanted, `dueBefore(${time} ms, ${limit}) gives ${wanted}, not ${found}`);
}

export async function expectFailure(operation: string, answer: Promise<unknown>): Promise<void> {
  const failed = await answer.then(
    () => false,
    () => true,
  );
  check(failed, `${operation} throws when the backend fails`);
}

export function check(holds: boolean, rule: string): void {
  if (!holds) throw broken(rule);
}

const broken = (rule: string): Error => new Error(`UserTokenStore contract broken: ${rule}`);
