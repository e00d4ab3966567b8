import { type Cache, Client, LoggerLevel } from '@larksuiteoapi/node-sdk';
import { SELF_BUILT_APP } from '../load/platform.js';
import { type Peer } from './peer.js';

/** The SDK's own default shape; its default is one for the whole process, and cold only once. */
function coldCache(): Cache {
  const values = new Map<string, unknown>();
  const keyOf = (key: string | symbol, namespace = ''): string => `${namespace}/${key.toString()}`;
  return {
    get: async (key, options) => values.get(keyOf(key as string, options?.namespace)),
    set: async (key, value: unknown, _expire, options) => {
      values.set(keyOf(key as string, options?.namespace), value);
      return true;
    },
  };
}

export const LARK_SDK: Peer = {
  id: 'lark-sdk',
  name: '@larksuiteoapi/node-sdk',
  difference: 'no single flight, no renewal before the end, one clock, no counters',
  build: ({ domain }) => {
    const setup = { ...SELF_BUILT_APP, domain: domain.open, loggerLevel: LoggerLevel.error };
    const cold = new Client({ ...setup, cache: coldCache() }).tokenManager;
    const { tokenManager } = new Client(setup);
    return {
      get: async () => (await cold.getTenantAccessToken()) ?? '',
      async readMany(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += ((await tokenManager.getTenantAccessToken()) ?? '').length;
        return sum;
      },
      close: async () => undefined,
    };
  },
};
