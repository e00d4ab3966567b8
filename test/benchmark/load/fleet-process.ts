import { createKeyv } from '@keyv/redis';
import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createClient, type RedisClientType } from '@redis/client';
import { createCache } from 'cache-manager';
import { FeishuAuthModule, TokenService } from 'nestjs-feishu-auth';
import { RedisRefreshLock } from 'nestjs-feishu-auth/redis';
import { SELF_BUILT_APP } from './platform.js';
import { serve } from './rpc.js';

export interface FleetSetup {
  readonly redisUrl: string;
  readonly domain: { open: string; accounts: string };
}

const READ_EVERY_MS = 5;

let app: INestApplicationContext | undefined;
let client: RedisClientType | undefined;
let lock: RedisRefreshLock | undefined;

/** One process of a fleet: store and lock in one Redis, as the manual has it. */
const calls = {
  async start({ redisUrl, domain }: FleetSetup): Promise<void> {
    client = createClient({ url: redisUrl }) as RedisClientType;
    client.on('error', () => undefined);
    await client.connect();
    lock = new RedisRefreshLock({ client });
    const module = FeishuAuthModule.forRoot({
      ...SELF_BUILT_APP,
      domain,
      cache: createCache({ stores: [createKeyv(client)] }),
      lock,
      prewarm: { onBootstrap: 'off', intervalMs: 500 },
    });
    app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  },

  /** How long a read of a token takes, and what of a processor, in milliseconds. */
  async read(): Promise<{ ms: number; cpuMs: number }> {
    const [start, cpuBefore] = [performance.now(), process.cpuUsage()];
    await app?.get(TokenService).getTenantAccessToken();
    const { user, system } = process.cpuUsage(cpuBefore);
    return { ms: performance.now() - start, cpuMs: (user + system) / 1_000 };
  },

  /** Reads for so long; the tokens it was given. */
  async readFor(durationMs: number): Promise<string[]> {
    const seen = new Set<string>();
    const tokens = app?.get(TokenService);
    const end = performance.now() + durationMs;
    while (tokens && performance.now() < end) {
      seen.add(await tokens.getTenantAccessToken());
      await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
    }
    return [...seen];
  },

  /** Takes the lock and gives it back, so often; and as often the two commands that this cannot do without. */
  async lockCycles(count: number): Promise<{ lockMs: number[]; bareMs: number[] }> {
    const [lockMs, bareMs]: [number[], number[]] = [[], []];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      const lease = await lock?.acquire(`benchmark:${i}`, { ttlMs: 10_000, waitMs: 0 });
      await lease?.release();
      const between = performance.now();
      await client?.set(`bare:${i}`, 'the owner', { NX: true, PX: 10_000 });
      await client?.del(`bare:${i}`);
      lockMs.push(between - start);
      bareMs.push(performance.now() - between);
    }
    return { lockMs, bareMs };
  },
};

export type FleetProcessCalls = typeof calls;

serve(calls);
