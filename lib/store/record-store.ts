import * as v from 'valibot';
import { type RecordCipher } from './record-cipher.js';
import { UNAVAILABLE, type SharedStore, type Unavailable } from './shared-store.js';

const SCHEMA_VERSION = 1;

/** The facts of a record besides its secret. Times are epoch milliseconds by the wall clock of the writer. */
export interface RecordFacts {
  /** When the secret ends; absent if that is not known. */
  readonly expiresAt?: number | undefined;
  /** The whole life of the secret as first seen, in milliseconds. */
  readonly lifeMs?: number | undefined;
  /** When the secret was obtained. */
  readonly obtainedAt: number;
}

/** A decrypted secret of the store. */
export interface StoredSecret extends RecordFacts {
  readonly secret: string;
}

/** `newer`: a later version of this module wrote the record; do not read or overwrite it. */
export type StoredRead = StoredSecret | 'miss' | 'newer' | Unavailable;

const Sealed = v.object({ keyId: v.string(), iv: v.string(), tag: v.string(), data: v.string() });
/** What a `Date` can hold. */
const Time = v.pipe(v.number(), v.minValue(0), v.maxValue(8_640_000_000_000_000));
/** No token lives nearly as long: a record with a longer life is corrupt. */
const MAX_LIFE_MS = 24 * 60 * 60_000;

const StoredRecord = v.object({
  version: v.literal(SCHEMA_VERSION),
  /** The key that the record was stored under, to detect a record of another key. */
  key: v.string(),
  obtainedAt: Time,
  expiresAt: v.optional(Time),
  lifeMs: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(MAX_LIFE_MS))),
  secret: v.optional(v.pipe(v.string(), v.nonEmpty())),
  sealed: v.optional(Sealed),
});
type StoredRecord = v.InferOutput<typeof StoredRecord>;

/** Secrets in the shared store: plain JSON with a version and its own key, encrypted if there are keys. */
export class RecordStore {
  readonly #store: SharedStore;
  readonly #cipher: RecordCipher | undefined;

  constructor(store: SharedStore, cipher: RecordCipher | undefined) {
    this.#store = store;
    this.#cipher = cipher;
  }

  /** A corrupt, foreign, removed or unreadable record is a miss; the first two are counted. */
  async read(key: string): Promise<StoredRead> {
    const raw = await this.#store.read(key);
    if (raw === UNAVAILABLE) return UNAVAILABLE;
    if (raw === undefined || raw === null) return 'miss';
    const record = parse(raw);
    if (record === 'newer') return 'newer';
    if (record?.key !== key) {
      this.#store.reportCorrupt();
      return 'miss';
    }
    const secret = this.#secretOf(record);
    if (secret === undefined) return 'miss';
    const { obtainedAt, expiresAt, lifeMs } = record;
    return { secret, obtainedAt, expiresAt, lifeMs };
  }

  /** @param ttlMs how long the store keeps the record: always explicit, or the default of the cache would apply */
  write(key: string, stored: StoredSecret, ttlMs: number): Promise<void | Unavailable> {
    const { secret, obtainedAt, expiresAt, lifeMs } = stored;
    const version = SCHEMA_VERSION;
    // Field by field: a spread object takes several times the memory, and a store in memory keeps it.
    const record: StoredRecord = this.#cipher
      ? {
          version,
          key,
          obtainedAt,
          expiresAt,
          lifeMs,
          sealed: this.#cipher.seal(secret, contextOf(key, stored)),
        }
      : { version, key, obtainedAt, expiresAt, lifeMs, secret };
    return this.#store.write(key, record, ttlMs);
  }

  /** Removes a record unless a newer version wrote it. */
  async clear(key: string, obtainedAt: number, ttlMs: number): Promise<void> {
    if ((await this.read(key)) !== 'newer') await this.remove(key, obtainedAt, ttlMs);
  }

  /** Removes a record. A cache without `del` gets a record without a secret, for `ttlMs`. */
  remove(key: string, obtainedAt: number, ttlMs: number): Promise<void | Unavailable> {
    const record: StoredRecord = { version: SCHEMA_VERSION, key, obtainedAt };
    return this.#store.remove(key, record, ttlMs);
  }

  #secretOf(record: StoredRecord): string | undefined {
    // With keys configured, a record in plain text was not written by this fleet.
    if (!this.#cipher) return record.secret;
    return record.sealed && this.#cipher.open(record.sealed, contextOf(record.key, record));
  }
}

/** Everything that a record says beside its secret is authenticated with it. */
function contextOf(key: string, { obtainedAt, expiresAt, lifeMs }: RecordFacts): string {
  return JSON.stringify([SCHEMA_VERSION, key, obtainedAt, expiresAt ?? null, lifeMs ?? null]);
}

function parse(raw: unknown): StoredRecord | 'newer' | undefined {
  try {
    if (isNewer(raw)) return 'newer';
    const parsed = v.safeParse(StoredRecord, raw);
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined; // the getters of an object that a cache without serialisation holds may throw
  }
}

function isNewer(raw: unknown): boolean {
  const version: unknown = typeof raw === 'object' ? (raw as { version?: unknown }).version : undefined;
  return typeof version === 'number' && version > SCHEMA_VERSION;
}
