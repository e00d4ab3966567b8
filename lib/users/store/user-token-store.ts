/**
 * Where user logins live: one opaque record for each login, changed by compare-and-set. It is an abstract class, so that
 * it is both the type and the injection token. An implementation must pass `userTokenStoreConformance` of
 * `nestjs-feishu-auth/testing`.
 *
 * A refresh token is valid for one use, so a record that is lost or overwritten logs its user out. That is why the rules
 * are strict:
 *
 * - **Every failure throws.** A store that cannot be read or written never answers "absent" or "another writer was first".
 * - **A write that resolves is durable** as far as the backend can promise it.
 * - **A write that throws may have happened.** The caller reads the record again to find out.
 * - **A version is never used twice**, also not after the record was deleted and made again. Otherwise a writer that paused
 *   would overwrite a record that it has never seen.
 * - **The store does not interpret a value.** It expires none and evicts none.
 *
 * Processes that share the backend share the records.
 *
 * @publicApi
 */
export abstract class UserTokenStore {
  /**
   * The record of `key` and its version, or `undefined` if there is none. A read that begins after a write of any process
   * was answered sees that write.
   *
   * @param key any text; keys differ if one code unit differs
   * @throws the error of a backend that cannot be read
   */
  abstract get(key: string): Promise<{ value: string; version: string } | undefined>;

  /**
   * Stores `value` if the record still has the version `ifVersion`, in one atomic step.
   *
   * @param value opaque text without NUL characters; 64 kB must fit
   * @param ifVersion a version that `get` or `put` gave; `null`: the record must be absent
   * @param options.dueAt when `dueBefore` is to list the record, to the millisecond. A put without it clears the date of
   * the record before.
   * @returns the new version, or `undefined` if another writer was first and nothing was changed
   * @throws the error of the backend; the write may or may not have happened then
   */
  abstract put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: { dueAt?: Date | undefined },
  ): Promise<string | undefined>;

  /**
   * Deletes the record if it still has the version `ifVersion`, in one atomic step.
   *
   * @returns `false` if the record is absent or has another version; nothing was changed then
   * @throws the error of the backend; the deletion may or may not have happened then
   */
  abstract delete(key: string, ifVersion: string): Promise<boolean>;

  /**
   * The keys of the records whose `dueAt` is earlier than `time`, the earliest first. Optional; the option
   * `users.keepAlive` needs it.
   *
   * @param limit how many keys at most, a positive integer
   * @throws the error of a backend that cannot be read
   */
  dueBefore?(time: Date, limit: number): Promise<string[]>;
}
