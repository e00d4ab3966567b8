import { createCache } from 'cache-manager';
import { SELF_BUILT_APP } from '../load/platform.js';
import { fetchTenantToken, LIFE_MS, type Peer } from './peer.js';

export const CACHE_MANAGER: Peer = {
  id: 'cache-manager',
  name: 'cache-manager wrap()',
  difference:
    'a general cache: the caller sets the expiry; one clock, no counters; it emits an event for each read',
  build: (platform) => {
    const cache = createCache({ ttl: LIFE_MS });
    const fetcher = (): Promise<string> => fetchTenantToken(platform, SELF_BUILT_APP);
    return {
      get: () => cache.wrap('tenant_access_token', fetcher),
      async readMany(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await cache.wrap('tenant_access_token', fetcher)).length;
        return sum;
      },
      close: async () => undefined,
    };
  },
};
