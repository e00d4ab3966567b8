import { createDecipheriv, createHash } from 'node:crypto';
import { parseJsonObject, type JsonObject } from './event-body.js';

const BLOCK = 16;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** AES-256-CBC as Feishu uses it: the key is `sha256(encryptKey)`, the text `base64(iv + ciphertext)`, the padding PKCS7. */
export class EventCipher {
  readonly #key: Uint8Array;

  constructor(encryptKey: string) {
    this.#key = createHash('sha256').update(encryptKey, 'utf8').digest();
  }

  /** The decrypted bytes; `undefined` for what was not encrypted with this key. */
  decrypt(encrypted: unknown): Uint8Array | undefined {
    const opened = this.#open(encrypted);
    return opened?.isPadded ? opened.bytes : undefined;
  }

  /**
   * The JSON object that was encrypted. Parses also after a wrong padding: the time until the refusal must not tell one
   * from the other.
   */
  decryptJson(encrypted: unknown): JsonObject | undefined {
    const opened = this.#open(encrypted);
    if (!opened) return undefined;
    const parsed = parseJsonObject(opened.bytes);
    return opened.isPadded ? parsed : undefined;
  }

  #open(encrypted: unknown): { bytes: Uint8Array; isPadded: boolean } | undefined {
    if (typeof encrypted !== 'string' || !BASE64.test(encrypted)) return undefined;
    const sealed = Buffer.from(encrypted, 'base64');
    if (sealed.length < 2 * BLOCK || sealed.length % BLOCK !== 0) return undefined;
    // OpenSSL would throw for a wrong padding, which takes longer than a right one.
    const decipher = createDecipheriv('aes-256-cbc', this.#key, sealed.subarray(0, BLOCK)).setAutoPadding(
      false,
    );
    return withoutPadding(Buffer.concat([decipher.update(sealed.subarray(BLOCK)), decipher.final()]));
  }
}

/** Checks every byte of the PKCS7 padding in constant time. Bytes without a padding come back whole. */
function withoutPadding(padded: Uint8Array): { bytes: Uint8Array; isPadded: boolean } {
  const length = padded.at(-1) ?? 0;
  let wrong = Number(length < 1 || length > BLOCK);
  for (let back = 1; back <= BLOCK; back++) {
    const isPadding = Number(back <= length);
    wrong |= isPadding * ((padded.at(-back) ?? 0) ^ length);
  }
  const isPadded = wrong === 0;
  return { bytes: isPadded ? padded.subarray(0, padded.length - length) : padded, isPadded };
}
