import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { type LoginRecord } from './login-record.js';
import { type LoginStore, type StoredLogin, type UnreadableLogin } from './login-store.js';

/** Pauses after a store operation that failed: a database fails over within a second or two. */
const RETRY_PAUSES_MS = [200, 600, 1_500];
/** Each lost race means that another writer has won one, so a loop this long is not a race. */
const MAX_RACES = 100;

/** What to do about a record: the one to store in its place, or `undefined` to leave it as it is. */
export type LoginEdit = (
  current: LoginRecord | undefined,
  found: StoredLogin | UnreadableLogin | undefined,
) => LoginRecord | undefined;

/**
 * Changes a login by compare-and-set until no other writer came between. A write that failed may have happened, so `edit` is
 * asked again about what is there now, and has to recognise its own work.
 *
 * @returns what was there before the change; `undefined` if there was no readable login
 * @throws FeishuAuthError `ERR_FEISHU_USER_STORE_UNAVAILABLE`
 */
export async function changeLogin(
  store: LoginStore,
  clock: Clock,
  key: string,
  edit: LoginEdit,
): Promise<LoginRecord | undefined> {
  for (let failures = 0, races = 0; races < MAX_RACES;) {
    try {
      const found = await store.look(key);
      const current = found && 'login' in found ? found.login : undefined;
      const next = edit(current, found);
      if (!next) return current;
      if ((await store.write(key, next, found?.version ?? null)) !== undefined) return current;
      races++;
    } catch (error) {
      const pause = RETRY_PAUSES_MS[failures++];
      if (pause === undefined) throw error;
      await clock.sleep(pause, undefined, { ref: true });
    }
  }
  throw new FeishuAuthError(
    'ERR_FEISHU_USER_STORE_UNAVAILABLE',
    'a login could not be changed: the store reports at every write that another writer was first',
    { retryable: true },
  );
}
