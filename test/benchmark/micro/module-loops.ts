import { type TokenService } from 'nestjs-feishu-auth';
import { ASYNC_BATCH, type ReadLoop, SYNC_BATCH } from './read-loop.js';

/** The three ways to a token that is held. */
export function moduleLoops(tokens: TokenService): ReadLoop[] {
  const handle = tokens.handle({ kind: 'tenant' });
  return [
    {
      id: 'peek',
      name: 'handle.peek()',
      batch: SYNC_BATCH,
      run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += handle.peek()?.length ?? 0;
        return sum;
      },
    },
    {
      id: 'get',
      name: 'handle.get()',
      batch: ASYNC_BATCH,
      async run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await handle.get()).length;
        return sum;
      },
    },
    {
      id: 'module',
      name: 'getTenantAccessToken()',
      batch: ASYNC_BATCH,
      async run(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await tokens.getTenantAccessToken()).length;
        return sum;
      },
    },
  ];
}
