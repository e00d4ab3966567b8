import { createHash } from 'node:crypto';

/** 96 bits: two tokens of one key do not collide by chance. */
const LENGTH = 12;

/** Identifies a token without keeping it. */
export function fingerprintOf(value: string): string {
  return createHash('sha256').update(value).digest().toString('base64url', 0, LENGTH);
}
