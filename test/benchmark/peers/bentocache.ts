import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { SELF_BUILT_APP } from '../load/platform.js';
import { fetchTenantToken, LIFE_MS, type Peer } from './peer.js';

export const BENTOCACHE: Peer = {
  id: 'bentocache',
  name: 'bentocache getOrSet()',
  difference: 'a general cache: one clock, no counters; it traces every read for diagnostics_channel',
  build: (platform) => {
    const cache = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    });
    const key = 'tenant_access_token';
    const factory = (): Promise<string> => fetchTenantToken(platform, SELF_BUILT_APP);
    return {
      get: () => cache.getOrSet({ key, ttl: LIFE_MS, factory }),
      async readMany(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await cache.getOrSet({ key, ttl: LIFE_MS, factory })).length;
        return sum;
      },
      close: () => cache.disconnectAll(),
    };
  },
};
