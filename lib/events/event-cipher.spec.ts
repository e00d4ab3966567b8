import { createCipheriv, createHash } from 'node:crypto';
import { EventCipher } from './event-cipher.js';

const V2 =
  'tT1xP+ovuc0T3b/rnZX3ax76exqAn0ANQ6/U45GcciC0mgNBc8JtvqOJGNAPMKpgRs2dVU1NYk9VDeqS8T4SYtU0hzNU54aS84WnxvZ3VFfDcy/RyABlNqlUiGyLDzFI0yxdCMT4KR/YEQXlt6nZi50KwRlZ+A75r645KesZuLMljezYyY8VeeXEVjPw35+e';

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('utf8');
}

/** Encrypts whole blocks, whatever they end in. */
function encryptBlocks(blocks: Uint8Array, key: string): string {
  const iv = Buffer.alloc(16, 7);
  const cipher = createCipheriv('aes-256-cbc', createHash('sha256').update(key).digest(), iv);
  cipher.setAutoPadding(false);
  return Buffer.concat([iv, cipher.update(blocks), cipher.final()]).toString('base64');
}

describe('EventCipher', () => {
  it("decrypts the documentation's example (V1)", () => {
    const encrypted = 'P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=';
    expect(text(new EventCipher('test key').decrypt(encrypted))).toBe('hello world');
  });

  it("decrypts the official SDK's challenge (V2)", () => {
    expect(new EventCipher('mazhe.nerd').decryptJson(V2)).toEqual({
      challenge: '5634b122-c042-4634-bc7f-b07a3c3e77ad',
      token: 'iRdCP2WwXNBXRM3mGLqhrgch3cn0gbT6',
      type: 'url_verification',
    });
  });

  it.each([
    ['nothing', undefined],
    ['a number', 5],
    ['an object', {}],
    ['an empty text', ''],
    ['no base64', `${V2.slice(0, -1)}!`],
    ['base64 with white space', `${V2.slice(0, 40)}\n${V2.slice(40)}`],
    ['base64 of another alphabet', V2.replaceAll('+', '-')],
    ['the IV alone', Buffer.alloc(16).toString('base64')],
    ['half a block more', Buffer.alloc(40).toString('base64')],
  ])('takes %s for what it is', (_name, encrypted) => {
    const cipher = new EventCipher('mazhe.nerd');
    expect(cipher.decrypt(encrypted)).toBeUndefined();
    expect(cipher.decryptJson(encrypted)).toBeUndefined();
  });

  it('does not open what another key has closed', () => {
    expect(new EventCipher('another key').decryptJson(V2)).toBeUndefined();
  });

  it.each(Array.from({ length: 16 }, (_, i) => i + 1))('takes PKCS7 of %i bytes', (length) => {
    const bytes = Buffer.alloc(32, length).fill('x', 0, 32 - length);
    expect(text(new EventCipher('k').decrypt(encryptBlocks(bytes, 'k')))).toBe('x'.repeat(32 - length));
  });

  it.each([
    ['of 0', [0]],
    ['of 17', Array.from({ length: 17 }, () => 17)],
    ['of 255', [255]],
    ['that is one byte short', [3, 3]],
    ['whose first byte is wrong', [9, 4, 4, 4]],
    ['whose middle byte is wrong', [4, 4, 9, 4]],
    ['that begins one byte late', [1, 16]],
  ])('refuses a padding %s', (name, padding) => {
    const bytes = Buffer.concat([Buffer.alloc(32, 'x'), Buffer.from(padding)]).subarray(-32);
    const opened = new EventCipher('k').decrypt(encryptBlocks(bytes, 'k'));
    expect([name, opened]).toEqual([name, undefined]);
  });

  it('does not take bytes that are no UTF-8 for text', () => {
    const json = Buffer.from('{"a":"\u00e9"}', 'latin1');
    const padding = 16 - (json.length % 16);
    const bytes = Buffer.concat([json, Buffer.alloc(padding, padding)]);
    expect(new EventCipher('k').decryptJson(encryptBlocks(bytes, 'k'))).toBeUndefined();
    expect(new EventCipher('k').decrypt(encryptBlocks(bytes, 'k'))).toHaveLength(json.length);
  });
});
