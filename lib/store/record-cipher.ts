import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A secret as it lies in the store: which key, nonce, tag and ciphertext, base64. */
export interface SealedSecret {
  readonly keyId: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

const ALGORITHM = 'aes-256-gcm';

/**
 * AES-256-GCM over the secret part of a record, with the cache key as additional data: a record copied under another
 * tenant's key does not open. The first key seals, all open, so that keys can rotate.
 */
export class RecordCipher {
  private readonly keys: ReadonlyMap<string, Uint8Array>;

  constructor(private readonly ring: readonly { id: string; key: Uint8Array }[]) {
    this.keys = new Map(ring.map(({ id, key }) => [id, key]));
  }

  seal(secret: string, cacheKey: string): SealedSecret {
    const [first] = this.ring;
    if (!first) throw new Error('no encryption key');
    const iv = randomBytes(12);
    const cipher = createCipheriv(ALGORITHM, first.key, iv).setAAD(Buffer.from(cacheKey));
    const data = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return {
      keyId: first.id,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      data: data.toString('base64'),
    };
  }

  /** The secret, or `undefined` when no key opens it or it was not sealed for this cache key. */
  open(sealed: SealedSecret, cacheKey: string): string | undefined {
    const key = this.keys.get(sealed.keyId);
    if (!key) return undefined;
    try {
      const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(sealed.iv, 'base64'), {
        authTagLength: 16,
      });
      decipher.setAAD(Buffer.from(cacheKey)).setAuthTag(Buffer.from(sealed.tag, 'base64'));
      return Buffer.concat([
        decipher.update(Buffer.from(sealed.data, 'base64')),
        decipher.final(),
      ]).toString();
    } catch {
      return undefined;
    }
  }
}
