import { RecordCipher, type SealedSecret } from './record-cipher.js';

const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:0123456789ab:tenant:tenant_a}';
const OTHER_KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:0123456789ab:tenant:tenant_b}';
const SECRET = 't-g104cbadef0123456789';

const ring = (...ids: string[]) => ids.map((id) => ({ id, key: new Uint8Array(32).fill(id.charCodeAt(0)) }));

describe('RecordCipher', () => {
  const cipher = new RecordCipher(ring('a'));

  it('opens a secret that it sealed', () => {
    for (const secret of [SECRET, 'é – 票', 'x'.repeat(5_000)]) {
      expect(cipher.open(cipher.seal(secret, KEY), KEY)).toBe(secret);
    }
  });

  it('seals a secret into a text that does not contain it and differs each time', () => {
    const [one, other] = [cipher.seal(SECRET, KEY), cipher.seal(SECRET, KEY)];
    expect(one.keyId).toBe('a');
    expect(JSON.stringify(one)).not.toContain(SECRET);
    expect(Buffer.from(one.data, 'base64').toString()).not.toContain(SECRET);
    expect(one.iv).not.toBe(other.iv);
    expect(one.data).not.toBe(other.data);
    expect(Buffer.from(one.iv, 'base64')).toHaveLength(12);
    expect(Buffer.from(one.tag, 'base64')).toHaveLength(16);
  });

  it('does not open a secret in the context of another tenant', () => {
    expect(cipher.open(cipher.seal(SECRET, KEY), OTHER_KEY)).toBeUndefined();
  });

  it('does not open with another key of the same id', () => {
    const other = new RecordCipher([{ id: 'a', key: new Uint8Array(32) }]);
    expect(other.open(cipher.seal(SECRET, KEY), KEY)).toBeUndefined();
  });

  it('seals with the first key and opens with each of them', () => {
    const before = new RecordCipher(ring('a')).seal(SECRET, KEY);
    const rotating = new RecordCipher(ring('b', 'a'));
    expect(rotating.open(before, KEY)).toBe(SECRET);
    const after = rotating.seal(SECRET, KEY);
    expect(after.keyId).toBe('b');
    const rotated = new RecordCipher(ring('b'));
    expect(rotated.open(after, KEY)).toBe(SECRET);
    expect(rotated.open(before, KEY)).toBeUndefined();
  });

  const flipped = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  it.each<[string, (sealed: SealedSecret) => Partial<SealedSecret>]>([
    ['changed data', ({ data }) => ({ data: flipped(data) })],
    ['a changed tag', ({ tag }) => ({ tag: flipped(tag) })],
    ['a changed nonce', ({ iv }) => ({ iv: flipped(iv) })],
    ['no nonce', () => ({ iv: '' })],
    [
      'a tag cut to four bytes',
      ({ tag }) => ({ tag: Buffer.from(tag, 'base64').subarray(0, 4).toString('base64') }),
    ],
    ['no tag', () => ({ tag: '' })],
    ['no data', () => ({ data: '' })],
    ['no base64', () => ({ data: '****', tag: '****' })],
    ['an unknown key id', () => ({ keyId: 'z' })],
  ])('does not open a secret with %s', (_, tamper) => {
    const sealed = cipher.seal(SECRET, KEY);
    expect(cipher.open({ ...sealed, ...tamper(sealed) }, KEY)).toBeUndefined();
  });

  it('throws without a key', () => {
    expect(() => new RecordCipher([]).seal(SECRET, KEY)).toThrow('no encryption key');
  });
});
