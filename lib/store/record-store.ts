import * as v from 'valibot';
import { type RecordCipher } from './record-cipher.js';
import { UNAVAILABLE, type SharedStore, type Unavailable } from './shared-store.js';

const SCHEMA_VERSION = 1;

/** What a record says besides its secret; epoch milliseconds by the writer's wall clock. */
export interface RecordFacts {
  /** When the secret ends; absent for what has no known end. */
  readonly expiresAt?: number | undefined;
  /** The secret's whole life as first seen, in milliseconds. */
  readonly lifeMs?: number | undefined;
  /** When the secret was obtained. */
  readonly obtainedAt: number;
}

/** A secret in the store, opened. */
export interface StoredSecret extends RecordFacts {
  readonly secret: string;
}

/** `newer`: a later version of this module wrote it; it is not ours to read or overwrite. */
export type StoredRead = StoredSecret | 'miss' | 'newer' | Unavailable;

const Sealed = v.object({ keyId: v.string(), iv: v.string(), tag: v.string(), data: v.string() });
/** What a `Date` can hold. */
const Time = v.pipe(v.number(), v.minValue(0), v.maxValue(8_640_000_000_000_000));
/** No token lives anywhere near this: what says it does was not written by this module, or not like that. */
const MAX_LIFE_MS = 24 * 60 * 60_000;

const StoredRecord = v.object({
  version: v.literal(SCHEMA_VERSION),
  /** The key it was stored under: a store that answers with another key's record is not believed. */
  key: v.string(),
  obtainedAt: Time,
  expiresAt: v.optional(Time),
  lifeMs: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(MAX_LIFE_MS))),
  secret: v.optional(v.pipe(v.string(), v.nonEmpty())),
  sealed: v.optional(Sealed),
});
type StoredRecord = v.InferOutput<typeof StoredRecord>;

/** Secrets in the shared store, as plain JSON that says what it is: versioned, bound to its key, sealed if asked for. */
export class RecordStore {
  constructor(
    private readonly store: SharedStore,
    private readonly cipher: RecordCipher | undefined,
  ) {}

  /** Corrupt, foreign, removed and unreadable records are misses; the first two are counted. */
  async read(key: string): Promise<StoredRead> {
    const raw = await this.store.read(key);
    if (raw === UNAVAILABLE) return UNAVAILABLE;
    if (raw === undefined || raw === null) return 'miss';
    const record = parse(raw);
    if (record === 'newer') return 'newer';
    if (record?.key !== key) {
      this.store.reportCorrupt();
      return 'miss';
    }
    const secret = this.secretOf(record);
    if (secret === undefined) return 'miss';
    const { obtainedAt, expiresAt, lifeMs } = record;
    return { secret, obtainedAt, expiresAt, lifeMs };
  }

  /** @param ttlMs how long the store keeps it; for ever without */
  write(key: string, stored: StoredSecret, ttlMs?: number): Promise<void | Unavailable> {
    const { secret, obtainedAt, expiresAt, lifeMs } = stored;
    const version = SCHEMA_VERSION;
    // Field by field: objects that are spread into take several times the memory, and a store in memory keeps them.
    const record: StoredRecord = this.cipher
      ? { version, key, obtainedAt, expiresAt, lifeMs, sealed: this.cipher.seal(secret, key) }
      : { version, key, obtainedAt, expiresAt, lifeMs, secret };
    return this.store.write(key, record, ttlMs);
  }

  /** Removes whatever is there, unless a newer version wrote it. */
  async clear(key: string, obtainedAt: number, ttlMs: number): Promise<void> {
    if ((await this.read(key)) !== 'newer') await this.remove(key, obtainedAt, ttlMs);
  }

  /** Removes a record, or leaves one without a secret for `ttlMs`: `get` and `set` are all that a cache needs to have. */
  remove(key: string, obtainedAt: number, ttlMs: number): Promise<void | Unavailable> {
    const record: StoredRecord = { version: SCHEMA_VERSION, key, obtainedAt };
    return this.store.remove(key, record, ttlMs);
  }

  private secretOf(record: StoredRecord): string | undefined {
    // With keys configured a plaintext record is no longer believed: whoever wrote it had none.
    if (!this.cipher) return record.secret;
    return record.sealed && this.cipher.open(record.sealed, record.key);
  }
}

function parse(raw: unknown): StoredRecord | 'newer' | undefined {
  try {
    if (isNewer(raw)) return 'newer';
    const parsed = v.safeParse(StoredRecord, raw);
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined; // a cache without serialisation can answer with an object whose getters throw
  }
}

function isNewer(raw: unknown): boolean {
  const version: unknown = typeof raw === 'object' ? (raw as { version?: unknown }).version : undefined;
  return typeof version === 'number' && version > SCHEMA_VERSION;
}
