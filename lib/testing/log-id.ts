import { randomBytes } from 'node:crypto';

/**
 * An `X-Tt-Logid` as Feishu's look: the second, then 20 hex digits.
 *
 * @internal
 */
export function createLogId(at: number): string {
  const second = new Date(at).toISOString().slice(0, 19).replaceAll(/\D/g, '');
  return second + randomBytes(10).toString('hex').toUpperCase();
}
