import { type UserTokenStore } from '../users/store/user-token-store.js';
import { testRunner, type TestRunner } from './test-runner.js';
import {
  check,
  created,
  deleted,
  expectDue,
  expectFailure,
  expectOneWinner,
  expectRecord,
  listsDue,
  newKey,
  replaced,
  valueOf,
  WRITERS,
} from './user-token-store-expectations.js';

type MakeStore = () => UserTokenStore | Promise<UserTokenStore>;

/**
 * @publicApi
 */
export interface UserTokenStoreConformanceOptions extends Partial<TestRunner> {
  /**
   * Gives a store whose backend does not answer or refuses: a closed port, a wrong password, a missing table. With it the
   * suite also checks that a failure never looks like an absent login.
   */
  makeFailingStore?: MakeStore;
}

const VALUE_BYTES = 64 * 1024;

const ODD_TEXTS = [
  'Plain',
  'plain',
  'plain ',
  ' plain',
  'plai\u0301n',
  'pl\u00e1in',
  'plain%_\\',
  `it's "quoted" \`twice\``,
  `'); DROP TABLE feishu_user_token; --`,
  '用户登录 \u{1F511}',
  'a/b\\c:d{e}f',
  '../../etc/passwd',
  'line\nfeed\ttab\r\n',
  '$1 ? :name {0} %s',
  'null',
];

/**
 * What every {@link UserTokenStore} must do, as a `describe` block: of the global `describe` and `it`, or of those in
 * `options`, as Vitest without globals and `node:test` need it.
 *
 * @param makeStore gives a store; called several times in each case. All stores that it gives must share their records, as
 * those of several processes would. The backend must be the tests' own: the suite expects no other records that are due.
 *
 * @example
 * userTokenStoreConformance(() => new SqlUserTokenStore({ query }));
 *
 * @example
 * import { describe, it } from 'node:test';
 * userTokenStoreConformance(() => new MyUserTokenStore(pool), { describe, it });
 *
 * @publicApi
 */
export function userTokenStoreConformance(
  makeStore: MakeStore,
  options: UserTokenStoreConformanceOptions = {},
): void {
  const { describe, it } = testRunner(options);
  const { makeFailingStore } = options;
  const twoStores = async (): Promise<[UserTokenStore, UserTokenStore]> => [
    await makeStore(),
    await makeStore(),
  ];

  describe('UserTokenStore conformance', () => {
    it('has no record of a key that was never written', async () => {
      check((await (await makeStore()).get(newKey())) === undefined, 'an absent record reads as undefined');
    });

    it('shows a new record to every process', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const version = await created(first, key, 'value');
      for (const store of [first, second]) await expectRecord(store, key, 'value', version);
    });

    it('does not create a record that is present', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const version = await created(first, key, 'value');
      for (const store of [first, second]) {
        check((await store.put(key, 'other', null)) === undefined, 'put with null refuses a present record');
      }
      await expectRecord(first, key, 'value', version);
    });

    it('replaces the record that the writer has seen, under a new version', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const old = await created(first, key, 'old');
      const version = await replaced(second, key, 'new', old);
      for (const store of [first, second]) await expectRecord(store, key, 'new', version);
    });

    it('gives a new version for the same value', async () => {
      const [store, key] = [await makeStore(), newKey()];
      const old = await created(store, key, 'same');
      const version = await replaced(store, key, 'same', old);
      check((await store.put(key, 'other', old)) === undefined, 'the version before it is stale');
      await expectRecord(store, key, 'same', version);
    });

    it('does not replace a record that the writer has not seen', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const stale = await created(first, key, 'first');
      const version = await replaced(first, key, 'second', stale);
      check((await second.put(key, 'third', stale)) === undefined, 'put with a stale version is refused');
      await expectRecord(second, key, 'second', version);
    });

    it('does not create a record for a writer that saw one', async () => {
      const [store, key] = [await makeStore(), newKey()];
      const ofAnother = await created(store, newKey(), 'another');
      check(
        (await store.put(key, 'value', ofAnother)) === undefined,
        'put with a version refuses an absent record',
      );
      check((await store.get(key)) === undefined, 'put with a version creates no record');
    });

    it(`lets one of ${WRITERS} writers replace a record`, async () => {
      const [stores, key] = [await twoStores(), newKey()];
      const version = await created(stores[0], key, 'old');
      await expectOneWinner(stores, key, version);
    });

    it(`lets one of ${WRITERS} writers create a record`, async () => {
      await expectOneWinner(await twoStores(), newKey(), null);
    });

    it('lets either a put or a delete win', async () => {
      const [first, second] = await twoStores();
      for (let round = 0; round < 5; round++) {
        const key = newKey();
        const version = await created(first, key, 'old');
        const [put, isDeleted] = await Promise.all([
          first.put(key, 'new', version),
          second.delete(key, version),
        ]);
        check((put === undefined) === isDeleted, 'either the put or the delete succeeds, not both');
        check(
          (await first.get(key))?.version === put,
          'the record is there if the put won, else it is absent',
        );
      }
    });

    it('keeps the writes to different keys apart', async () => {
      const [stores, keys] = [await twoStores(), Array.from({ length: WRITERS }, newKey)];
      const versions = await Promise.all(keys.map((key, i) => created(stores[i % 2 ? 1 : 0], key, key)));
      for (const [i, key] of keys.entries()) await expectRecord(stores[0], key, key, versions[i]);
    });

    it('deletes the record that the writer has seen, once', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const version = await created(first, key, 'value');
      await deleted(second, key, version);
      for (const store of [first, second]) {
        check((await store.get(key)) === undefined, 'a deleted record is absent');
      }
      check(!(await first.delete(key, version)), 'a second delete finds nothing');
    });

    it('does not delete a record that the writer has not seen', async () => {
      const [[first, second], key] = [await twoStores(), newKey()];
      const stale = await created(first, key, 'first');
      const version = await replaced(first, key, 'second', stale);
      check(!(await second.delete(key, stale)), 'delete with a stale version is refused');
      await expectRecord(second, key, 'second', version);
      check(!(await second.delete(newKey(), stale)), 'delete of an absent record is refused');
    });

    it('never uses a version twice, also not for a record that is made again', async () => {
      const [stores, key] = [await twoStores(), newKey()];
      const used: string[] = [];
      for (let round = 0; round < 4; round++) {
        const store = stores[round % 2 ? 1 : 0];
        for (const stale of used) {
          check((await store.put(key, 'x', stale)) === undefined, 'no old version fits an absent record');
        }
        const version = await created(store, key, 'same');
        for (const stale of used) {
          check((await store.put(key, 'x', stale)) === undefined, 'no old version fits a record made again');
          check(!(await store.delete(key, stale)), 'no old version deletes a record made again');
        }
        const next = await replaced(store, key, 'same', version);
        used.push(version, next);
        await deleted(store, key, next);
      }
      check(new Set(used).size === used.length, 'all versions of a key differ');
    });

    it('never shows a mixture of two records', async () => {
      const [[writer, reader], key] = [await twoStores(), newKey()];
      const written = new Map<string | undefined, string>();
      const seen: ({ value: string; version: string } | undefined)[] = [];
      let version = await created(writer, key, valueOf(0));
      written.set(version, valueOf(0));
      let isWriting = true;
      const write = async (): Promise<void> => {
        for (let i = 1; i <= 20; i++) {
          version = await replaced(writer, key, valueOf(i), version);
          written.set(version, valueOf(i));
        }
      };
      const read = async (): Promise<void> => {
        while (isWriting) {
          seen.push(await reader.get(key));
          // A store that answers without I/O would keep the writer from its turn.
          await new Promise(setImmediate);
        }
      };
      await Promise.all([write().finally(() => (isWriting = false)), read()]);
      for (const record of seen) {
        check(record !== undefined, 'a record is never absent while it is replaced');
        check(
          written.get(record?.version) === record?.value,
          'a read gives the value that its version belongs to',
        );
      }
    });

    it('keeps every text as it is, as value', async () => {
      const [first, second] = await twoStores();
      const long = [
        'x'.repeat(VALUE_BYTES),
        '钥'.repeat(Math.floor(VALUE_BYTES / 3)),
        '\u{1F511}'.repeat(VALUE_BYTES / 4),
      ];
      for (const value of [...ODD_TEXTS, ...long, '']) {
        const key = newKey();
        const version = await created(first, key, value);
        await expectRecord(second, key, value, version);
      }
    });

    it('keeps keys apart that differ in one code unit, and takes long ones', async () => {
      const [[first, second], run] = [await twoStores(), newKey()];
      const long = 'k'.repeat(1_000);
      const keys = [...ODD_TEXTS, long, `${long} `, `${long}x`].map((text) => run + text);
      for (const key of keys) await created(first, key, `value of ${key}`);
      for (const key of keys) {
        const record = await second.get(key);
        check(record?.value === `value of ${key}`, 'each key has a separate record');
      }
    });

    it('lists what is due before a date, the earliest first', async () => {
      const [first, second] = await twoStores();
      if (!listsDue(first) || !listsDue(second)) return;
      const keys = [newKey(), newKey(), newKey(), newKey()] as const;
      const dates = [3_000, 1_000, undefined, 2_000];
      const versions = new Map<string, string>();
      for (const [i, key] of keys.entries()) versions.set(key, await created(first, key, 'value', dates[i]));
      await expectDue(second, 10_000, [keys[1], keys[3], keys[0]]);
      await expectDue(second, 2_000, [keys[1]]);
      await expectDue(second, 2_001, [keys[1], keys[3]]);
      await expectDue(second, 1_000, []);
      await expectDue(second, 10_000, [keys[1], keys[3]], 2);
      for (const [key, version] of versions) await deleted(first, key, version);
      await expectDue(second, 10_000, []);
    });

    it('changes the date with every put, and clears it with a put that has none', async () => {
      const [store, key] = [await makeStore(), newKey()];
      if (!listsDue(store)) return;
      const stale = await created(store, key, 'value', 1_000);
      await expectDue(store, 10_000, [key]);
      let version = await replaced(store, key, 'value', stale, 5_000);
      await expectDue(store, 5_000, []);
      await expectDue(store, 5_001, [key]);
      const refused = await store.put(key, 'other', stale, { dueAt: new Date(1) });
      check(refused === undefined, 'put with a stale version is refused');
      await expectDue(store, 5_000, []);
      version = await replaced(store, key, 'value', version);
      await expectDue(store, 10_000, []);
      version = await replaced(store, key, 'value', version, 1_000);
      await expectDue(store, 10_000, [key]);
      await deleted(store, key, version);
      await expectDue(store, 10_000, []);
      version = await created(store, key, 'made again');
      await expectDue(store, 10_000, []);
      await deleted(store, key, version);
    });

    it('lists a date after the year 2038 to the millisecond', async () => {
      const [store, key] = [await makeStore(), newKey()];
      if (!listsDue(store)) return;
      const at = Date.UTC(2099, 11, 31, 23, 59, 59, 999);
      const version = await created(store, key, 'value', at);
      await expectDue(store, at, []);
      await expectDue(store, at + 1, [key]);
      await deleted(store, key, version);
    });

    if (!makeFailingStore) return;

    it('throws when its backend fails, and never answers instead', async () => {
      const [store, key] = [await makeFailingStore(), newKey()];
      await expectFailure('get', store.get(key));
      await expectFailure('put of a new record', store.put(key, 'value', null));
      await expectFailure('put of a present record', store.put(key, 'value', 'some version'));
      await expectFailure('delete', store.delete(key, 'some version'));
      if (listsDue(store)) await expectFailure('dueBefore', store.dueBefore(new Date(), 10));
    });
  });
}
