import { createHash } from 'node:crypto';

/** 96 bits: no two tokens of one key ever have the same by chance. */
const LENGTH = 12;

/** Stands for a token that must be recognised but not kept. */
export function fingerprintOf(value: string): string {
  return createHash('sha256').update(value).digest().toString('base64url', 0, LENGTH);
}
