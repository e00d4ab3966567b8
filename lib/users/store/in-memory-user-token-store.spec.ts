import { inspect } from 'node:util';
import { userTokenStoreConformance } from '../../testing/user-token-store-conformance.js';
import { InMemoryUserTokenStore } from './in-memory-user-token-store.js';

describe('InMemoryUserTokenStore', () => {
  const shared = new InMemoryUserTokenStore();
  userTokenStoreConformance(() => shared);

  it('shows no value when it is printed', async () => {
    const store = new InMemoryUserTokenStore();
    await store.put('key', 'a secret value', null);
    expect(inspect(store, { showHidden: true, depth: 10 }) + JSON.stringify(store)).not.toContain('secret');
  });

  it('finds the earliest of 20,000 due logins, in order', async () => {
    const store = new InMemoryUserTokenStore();
    // 7,919 and 20,000 have no common divisor, so every date from 0 to 19,999 occurs once.
    for (let i = 0; i < 20_000; i++) {
      await store.put(`login-${i}`, '', null, { dueAt: new Date((i * 7_919) % 20_000) });
    }
    const dates = (await store.dueBefore(new Date(1e6), 1_000)).map(
      (key) => (Number(key.slice('login-'.length)) * 7_919) % 20_000,
    );
    expect(dates).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });
});
