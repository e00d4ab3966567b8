import { AsyncLocalStorage } from 'node:async_hooks';
import { windowsOf } from '../freshness.js';
import { KeptToken } from './kept-token.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;

describe('KeptToken', () => {
  it.each([2 * HOUR, 31 * MINUTE, 30 * MINUTE, 1_000])('has the windows of a life of %d ms', (lifeMs) => {
    const expiresAt = 1e12 + lifeMs;
    const { refreshAt, mustAt, deadAt } = windowsOf(expiresAt, lifeMs, [22 * MINUTE, 28 * MINUTE], 0.5);
    const token = new KeptToken('t', refreshAt, expiresAt, 5, lifeMs, 1e12, 'platform');
    expect(token).toMatchObject({ refreshAt, mustAt, deadAt, expiresAt });
    expect(token.renewedAt(7)).toMatchObject({ value: 't', refreshAt: 7, mustAt, deadAt, lifeMs });
  });

  it('gives the same promise at every read', async () => {
    const token = new KeptToken('t', 1, 2, 0, 1, 0, 'store');
    const { promise } = token;
    expect(token.promise).toBe(promise);
    expect(await promise).toBe('t');
  });

  it('does not keep the async context of its first reader', async () => {
    const context = new AsyncLocalStorage<string>();
    const token = new KeptToken('t', 1, 2, 0, 1, 0, 'store');
    const promise = context.run('a request', () => token.promise);
    const symbols = Object.getOwnPropertySymbols(promise).map((it) => Reflect.get(promise, it) as unknown);
    expect(symbols).not.toContain('a request');
    expect(await promise).toBe('t');
  });
});
