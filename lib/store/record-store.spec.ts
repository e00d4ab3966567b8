import { TestClock } from '../testing/test-clock.js';
import { RecordCipher } from './record-cipher.js';
import { RecordStore } from './record-store.js';
import { SharedStore, UNAVAILABLE } from './shared-store.js';

const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:0123456789ab:tenant}';
const SECRET = 't-g104cbadef0123456789';
const STORED = { secret: SECRET, obtainedAt: 1_000, expiresAt: 7_201_000, lifeMs: 7_200_000 };

/** A cache that holds JSON, like a server. */
class JsonCache {
  readonly json = new Map<string, string>();
  readonly ttls = new Map<string, number | undefined>();
  isDown = false;

  get = async <T>(key: string): Promise<T | undefined> => {
    if (this.isDown) throw new Error('down');
    const text = this.json.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  };

  set = async <T>(key: string, value: T, ttl?: number): Promise<T> => {
    if (this.isDown) throw new Error('down');
    this.json.set(key, JSON.stringify(value));
    this.ttls.set(key, ttl);
    return value;
  };

  put(key: string, record: unknown): void {
    this.json.set(key, JSON.stringify(record));
  }
}

describe('RecordStore', () => {
  let cache: JsonCache;
  let store: SharedStore;
  let plain: RecordStore;

  beforeEach(() => {
    cache = new JsonCache();
    store = new SharedStore({ cache, clock: new TestClock(), timeoutMs: 250 });
    plain = new RecordStore(store, undefined);
  });

  const sealing = (...ids: string[]): RecordStore =>
    new RecordStore(
      store,
      new RecordCipher(ids.map((id) => ({ id, key: new Uint8Array(32).fill(id.charCodeAt(0)) }))),
    );

  it('reads a written record with its facts', async () => {
    await plain.write(KEY, STORED, 60_000);
    expect(await plain.read(KEY)).toEqual(STORED);
    expect(cache.ttls.get(KEY)).toBe(60_000);
  });

  it('writes plain JSON with its version and its key', async () => {
    await plain.write(KEY, STORED, 60_000);
    expect(JSON.parse(cache.json.get(KEY) ?? '')).toEqual({ version: 1, key: KEY, ...STORED });
  });

  it('keeps a secret without a known end', async () => {
    await plain.write(KEY, { secret: SECRET, obtainedAt: 5 }, 60_000);
    expect(await plain.read(KEY)).toEqual({ secret: SECRET, obtainedAt: 5 });
  });

  it('reads a missing record as a miss', async () => {
    expect(await plain.read(KEY)).toBe('miss');
    expect(store.errors).toBe(0);
  });

  it('distinguishes a store that does not answer from a miss', async () => {
    cache.isDown = true;
    expect(await plain.read(KEY)).toBe(UNAVAILABLE);
    expect(await plain.write(KEY, STORED, 60_000)).toBe(UNAVAILABLE);
    expect(await plain.remove(KEY, 1, 60_000)).toBe(UNAVAILABLE);
  });

  it('replaces a removed record by one without a secret', async () => {
    await plain.write(KEY, STORED, 7_000_000);
    await plain.remove(KEY, 2_000, 60_000);
    expect(await plain.read(KEY)).toBe('miss');
    expect(cache.json.get(KEY)).not.toContain(SECRET);
    expect(cache.ttls.get(KEY)).toBe(60_000);
    expect(store.errors).toBe(0);
  });

  it.each<[string, unknown]>([
    ['text', 'garbage'],
    ['a number', 42],
    ['a list', [1, 2]],
    ['a foreign object', { token: SECRET }],
    ['an older schema', { ...STORED, version: 0, key: KEY }],
    ['a version in words', { ...STORED, version: '1', key: KEY }],
    ['a secret that is no text', { ...STORED, version: 1, key: KEY, secret: 42 }],
    ['an empty secret', { ...STORED, version: 1, key: KEY, secret: '' }],
    ['no obtainedAt', { version: 1, key: KEY, secret: SECRET }],
    ['an end in words', { ...STORED, version: 1, key: KEY, expiresAt: 'tomorrow' }],
    ['an end that is null, as NaN is in JSON', { ...STORED, version: 1, key: KEY, expiresAt: Number.NaN }],
    ['a life of nothing', { ...STORED, version: 1, key: KEY, lifeMs: 0 }],
    ['a life below nothing', { ...STORED, version: 1, key: KEY, lifeMs: -1 }],
    ['half of a sealed secret', { version: 1, key: KEY, obtainedAt: 1, sealed: { keyId: 'a', iv: '' } }],
    ["another key's record", { ...STORED, version: 1, key: `${KEY}x` }],
    ['no key', { ...STORED, version: 1 }],
  ])('reads %s as a miss, and counts it', async (_, record) => {
    cache.put(KEY, record);
    expect(await plain.read(KEY)).toBe('miss');
    expect(store.errors).toBe(1);
    expect(store.breaker).toBe('closed');
  });

  it('recognizes a record of a later version of this module', async () => {
    cache.put(KEY, { version: 2, addedLater: true });
    expect(await plain.read(KEY)).toBe('newer');
    expect(await sealing('a').read(KEY)).toBe('newer');
    expect(store.errors).toBe(0);
  });

  it('ignores unknown fields in a record of its own version', async () => {
    cache.put(KEY, { ...STORED, version: 1, key: KEY, addedLater: true });
    expect(await plain.read(KEY)).toEqual(STORED);
  });

  describe('with encryption keys', () => {
    it('reads a written record, while the store sees no secret', async () => {
      const records = sealing('a');
      await records.write(KEY, STORED, 60_000);
      expect(cache.json.get(KEY)).not.toContain(SECRET);
      expect(JSON.parse(cache.json.get(KEY) ?? '')).toMatchObject({
        version: 1,
        key: KEY,
        expiresAt: STORED.expiresAt,
        sealed: { keyId: 'a' },
      });
      expect(await records.read(KEY)).toEqual(STORED);
    });

    it("reads another tenant's record under this key as a miss, whichever key it names", async () => {
      const records = sealing('a');
      await records.write(`${KEY}x`, STORED, 60_000);
      const foreign = JSON.parse(cache.json.get(`${KEY}x`) ?? '') as object;
      cache.put(KEY, foreign);
      expect(await records.read(KEY)).toBe('miss');
      cache.put(KEY, { ...foreign, key: KEY });
      expect(await records.read(KEY)).toBe('miss');
    });

    it('reads a record in plain text as a miss', async () => {
      await plain.write(KEY, STORED, 60_000);
      expect(await sealing('a').read(KEY)).toBe('miss');
    });

    it('writes with the first key and reads with each; a record of a removed key is a miss', async () => {
      await sealing('a').write(KEY, STORED, 60_000);
      expect(await sealing('b', 'a').read(KEY)).toEqual(STORED);
      expect(await sealing('b').read(KEY)).toBe('miss');
      await sealing('b', 'a').write(KEY, STORED, 60_000);
      expect(await sealing('b').read(KEY)).toEqual(STORED);
    });

    it('is read as a miss by a process without keys', async () => {
      await sealing('a').write(KEY, STORED, 60_000);
      expect(await plain.read(KEY)).toBe('miss');
    });

    it.each<[string, object]>([
      ['its end', { expiresAt: STORED.expiresAt + 1 }],
      ['no end', { expiresAt: undefined }],
      ['its life', { lifeMs: STORED.lifeMs + 1 }],
      ['the time it was obtained', { obtainedAt: STORED.obtainedAt - 1 }],
    ])('D5 reads a record as a miss if someone changed %s', async (_, change) => {
      const records = sealing('a');
      await records.write(KEY, STORED, 60_000);
      const record = JSON.parse(cache.json.get(KEY) ?? '') as object;
      cache.put(KEY, { ...record, ...change });
      expect(await records.read(KEY)).toBe('miss');
    });

    it('removes a record', async () => {
      const records = sealing('a');
      await records.write(KEY, STORED, 60_000);
      await records.remove(KEY, 2_000, 60_000);
      expect(await records.read(KEY)).toBe('miss');
      expect(store.errors).toBe(0);
    });
  });
});
