import { randomBytes } from 'node:crypto';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Letters and digits that cannot be guessed, in the style of Feishu's tokens, tickets and ids.
 *
 * @internal
 */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHANUMERIC.charAt(byte % ALPHANUMERIC.length)).join('');
}
