import { type TokenService } from 'nestjs-feishu-auth';
import { shuffled } from './many-reads.js';
import { type ReadLoop } from './read-loop.js';

/** Reads of many tenants, each beside what a read costs that only finds its entry in memory that is as far away. */
export function growthLoops(
  tokens: TokenService,
  keys: readonly string[],
): Record<'read' | 'asyncFloor' | 'peek' | 'syncFloor', ReadLoop['run']> {
  const wanted = shuffled(keys);
  const queries = wanted.map((tenantKey) => ({ tenantKey }));
  const handles = wanted.map((tenantKey) => tokens.handle({ kind: 'tenant', tenantKey }));
  const entries = entriesOf(keys);
  return {
    async read(count) {
      let sum = 0;
      for (let i = 0; i < count; i++)
        sum += (await tokens.getTenantAccessToken(queries[i % queries.length])).length;
      return sum;
    },
    async asyncFloor(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const entry = entries.get(wanted[i % wanted.length] as string);
        if (entry !== undefined && Date.now() < entry.expiresAt) sum += (await entry.promise).length;
      }
      return sum;
    },
    peek(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += handles[i % handles.length]?.peek()?.length ?? 0;
      return sum;
    },
    syncFloor(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const entry = entries.get(wanted[i % wanted.length] as string);
        if (entry !== undefined && Date.now() < entry.expiresAt) sum += entry.value.length;
      }
      return sum;
    },
  };
}

function entriesOf(
  keys: readonly string[],
): Map<string, { value: string; promise: Promise<string>; expiresAt: number }> {
  const expiresAt = Date.now() + 7_200_000;
  return new Map(
    keys.map((key, i) => {
      const value = `t-${i}`;
      return [key, { value, promise: Promise.resolve(value), expiresAt: expiresAt + i }];
    }),
  );
}
