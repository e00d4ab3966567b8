import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** An encrypted secret: the id of the key, and nonce, tag and ciphertext in base64. */
export interface SealedSecret {
  readonly keyId: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

const ALGORITHM = 'aes-256-gcm';

/**
 * AES-256-GCM over a secret. The context, such as the key of the record and its times, is authenticated with it: a record
 * under another key, or with another time, does not open. The first key seals, all keys open, so that keys can rotate.
 */
export class RecordCipher {
  readonly #ring: readonly { id: string; key: Uint8Array }[];
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  constructor(ring: readonly { id: string; key: Uint8Array }[]) {
    this.#ring = ring;
    this.#keys = new Map(ring.map(({ id, key }) => [id, key]));
  }

  seal(secret: string, context: string): SealedSecret {
    const [first] = this.#ring;
    if (!first) throw new Error('no encryption key');
    const iv = randomBytes(12);
    const cipher = createCipheriv(ALGORITHM, first.key, iv).setAAD(Buffer.from(context));
    const data = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return {
      keyId: first.id,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      data: data.toString('base64'),
    };
  }

  /** The secret; `undefined` if no key opens it, or if it was sealed in another context. */
  open(sealed: SealedSecret, context: string): string | undefined {
    const key = this.#keys.get(sealed.keyId);
    if (!key) return undefined;
    try {
      const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(sealed.iv, 'base64'), {
        authTagLength: 16,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(Buffer.from(sealed.tag, 'base64'));
      return Buffer.concat([
        decipher.update(Buffer.from(sealed.data, 'base64')),
        decipher.final(),
      ]).toString();
    } catch {
      return undefined;
    }
  }
}
