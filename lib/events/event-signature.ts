import { createHash, timingSafeEqual } from 'node:crypto';

/** The signature headers of a delivery; `undefined` where a header is missing. */
export interface DeliverySignature {
  readonly timestamp: string | undefined;
  readonly nonce: string | undefined;
  /** Hexadecimal, in either case. */
  readonly signature: string | undefined;
}

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** `sha256(timestamp + nonce + encryptKey + raw body)`: a plain hash, not an HMAC, over the bytes as they arrived. */
export function signatureOf(
  timestamp: string,
  nonce: string,
  encryptKey: string,
  rawBody: Uint8Array,
): Uint8Array {
  return createHash('sha256')
    .update(timestamp + nonce + encryptKey, 'utf8')
    .update(rawBody)
    .digest();
}

/** Compares the signature of `rawBody` in constant time. */
export function isSignedBy(
  signed: DeliverySignature,
  encryptKey: string,
  rawBody: Uint8Array,
): signed is { timestamp: string; nonce: string; signature: string } {
  const { timestamp, nonce, signature } = signed;
  if (!timestamp || !nonce || signature === undefined || !SHA256_HEX.test(signature)) return false;
  return timingSafeEqual(Buffer.from(signature, 'hex'), signatureOf(timestamp, nonce, encryptKey, rawBody));
}

/** Compares two texts in a time that does not depend on where they differ. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(a), digest(b));
}
