import { createHash } from 'node:crypto';

/** Stands for a token that must be recognised but not kept. */
export function fingerprintOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
