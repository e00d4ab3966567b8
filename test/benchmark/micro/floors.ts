import { ASYNC_BATCH, type ReadLoop, SYNC_BATCH } from './read-loop.js';

interface Entry {
  readonly value: string;
  readonly promise: Promise<string>;
  readonly expiresAt: number;
}

/** What the straightforward code costs: find the entry, ask the clock, give the token; and wait for it, if it is a promise. */
export function floors(): ReadLoop[] {
  const value = `t-${'x'.repeat(40)}`;
  const entry: Entry = { value, promise: Promise.resolve(value), expiresAt: Date.now() + 7_200_000 };
  const entries = new Map<string, Entry>([['other', entry]]).set('tenant_access_token', entry);
  return [
    {
      id: 'floor-sync',
      name: 'floor: Map.get + Date.now',
      batch: SYNC_BATCH,
      run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const found = entries.get('tenant_access_token');
          if (found !== undefined && Date.now() < found.expiresAt) sum += found.value.length;
        }
        return sum;
      },
    },
    {
      id: 'floor-async',
      name: 'floor: the same + await of a kept promise',
      batch: ASYNC_BATCH,
      async run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const found = entries.get('tenant_access_token');
          if (found !== undefined && Date.now() < found.expiresAt) sum += (await found.promise).length;
        }
        return sum;
      },
    },
  ];
}
