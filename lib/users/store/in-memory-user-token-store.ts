import { Earliest } from './earliest.js';
import { UserTokenStore } from './user-token-store.js';

interface StoredRecord {
  readonly value: string;
  readonly version: string;
  readonly dueAt: number | undefined;
}

/**
 * Logins in the memory of this process, for tests and demonstrations. **They end with the process:** every user has to
 * log in again. No other process sees them.
 *
 * @publicApi
 */
export class InMemoryUserTokenStore extends UserTokenStore {
  // Private to the runtime too: a value may hold tokens in clear text, and a store gets into logs by accident.
  readonly #records = new Map<string, StoredRecord>();
  #writes = 0;

  async get(key: string): Promise<{ value: string; version: string } | undefined> {
    const record = this.#records.get(key);
    return record && { value: record.value, version: record.version };
  }

  async put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: { dueAt?: Date | undefined },
  ): Promise<string | undefined> {
    if ((this.#records.get(key)?.version ?? null) !== ifVersion) return undefined;
    const version = String(++this.#writes);
    this.#records.set(key, { value, version, dueAt: options?.dueAt?.getTime() });
    return version;
  }

  async delete(key: string, ifVersion: string): Promise<boolean> {
    return this.#records.get(key)?.version === ifVersion && this.#records.delete(key);
  }

  override async dueBefore(time: Date, limit: number): Promise<string[]> {
    const earliest = new Earliest<string>(limit);
    for (const [key, { dueAt }] of this.#records) {
      if (dueAt !== undefined && dueAt < time.getTime()) earliest.offer(dueAt, key);
    }
    return earliest.items();
  }
}
