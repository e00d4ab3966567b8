import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline } from '../../time/deadline.js';
import { type UserTokenStore } from '../store/user-token-store.js';
import { type LoginCodec, type Unreadable } from './login-codec.js';
import { dueAtOf, type LoginRecord } from './login-record.js';

/** How long one operation of the store may take. */
const TIMEOUT_MS = 3_000;

/** A login and the version that a write must name. */
export interface StoredLogin {
  readonly login: LoginRecord;
  readonly version: string;
}

/** A record that is there and cannot be used. */
export interface UnreadableLogin {
  readonly unreadable: Unreadable;
  readonly version: string;
}

/** @internal */
export interface LoginStoreOptions {
  readonly store: UserTokenStore;
  readonly codec: LoginCodec;
  readonly clock: Clock;
  /** How long before a refresh token ends keep-alive renews it. */
  readonly beforeMs: number;
}

/** The logins in the application's store, each operation within a deadline. Every failure is an error, never "no login". */
export class LoginStore {
  readonly #options: LoginStoreOptions;

  constructor(options: LoginStoreOptions) {
    this.#options = options;
  }

  /**
   * The login under `key`, or `undefined` if there is none.
   *
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE` if the store does not answer, or if the record cannot be read
   */
  async read(key: string): Promise<StoredLogin | undefined> {
    const found = await this.look(key);
    if (found && 'unreadable' in found) throw unreadable(found.unreadable);
    return found;
  }

  /** The same for a caller that replaces the record, readable or not. */
  async look(key: string): Promise<StoredLogin | UnreadableLogin | undefined> {
    const stored = await this.attempt('read', (store) => store.get(key));
    if (!stored) return undefined;
    const { value, version } = stored;
    const login = this.#options.codec.decode(key, value);
    return typeof login === 'object' ? { login, version } : { unreadable: login, version };
  }

  /**
   * Stores `login` if the record still has the version `ifVersion`; `null`: if there is none.
   *
   * @returns the new version; `undefined` if another writer was first
   * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`; the write may have happened then
   */
  write(key: string, login: LoginRecord, ifVersion: string | null): Promise<string | undefined> {
    const { codec, beforeMs } = this.#options;
    const value = codec.encode(key, login);
    const dueAt = new Date(dueAtOf(login, beforeMs));
    return this.attempt('written', (store) => store.put(key, value, ifVersion, { dueAt }));
  }

  /** @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE` */
  remove(key: string, ifVersion: string): Promise<boolean> {
    return this.attempt('written', (store) => store.delete(key, ifVersion));
  }

  /** Whether keep-alive has to look at the login. */
  isDue(login: LoginRecord, now: number): boolean {
    return dueAtOf(login, this.#options.beforeMs) < now;
  }

  /** The keys of at most `limit` logins that were due before `time`. */
  async due(time: number, limit: number): Promise<string[]> {
    return this.attempt('read', (store) => store.dueBefore?.(new Date(time), limit) ?? Promise.resolve([]));
  }

  private async attempt<T>(what: string, operation: (store: UserTokenStore) => Promise<T>): Promise<T> {
    const { store, clock } = this.#options;
    try {
      const work = Promise.resolve().then(() => operation(store));
      return await withDeadline(
        clock,
        work,
        TIMEOUT_MS,
        () => new Error(`no answer within ${TIMEOUT_MS} ms`),
      );
    } catch (cause) {
      throw new FeishuAuthError(
        'ERR_FEISHU_USER_STORE_UNAVAILABLE',
        `the store of user logins could not be ${what}: check users.store and its database`,
        { retryable: true, cause },
      );
    }
  }
}

const FIXES: Readonly<Record<Unreadable, string>> = {
  newer: 'a later version of nestjs-feishu-auth wrote it: update this process',
  'no-key':
    'none of the configured encryptionKeys opens it: put the key that it was written with back on the list',
  'in-clear':
    'it is in the clear, although encryptionKeys are set: set users.acceptUnencrypted until the logins from before are renewed',
  corrupt: 'it is not a record of this login: was it changed or copied by hand?',
};

function unreadable(why: Unreadable): FeishuAuthError {
  const message = `the stored login of this user cannot be read: ${FIXES[why]}`;
  return new FeishuAuthError('ERR_FEISHU_USER_STORE_UNAVAILABLE', message, { retryable: true });
}
