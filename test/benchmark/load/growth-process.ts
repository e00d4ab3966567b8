import v8 from 'node:v8';
import { type DynamicModule, type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppTicketService, FeishuAuthModule, TokenPrewarmer, TokenService } from 'nestjs-feishu-auth';
import { quantile } from '../statistics.js';
import { STORE_APP, tenantKeys } from './platform.js';
import { serve } from './rpc.js';
import { urlOf } from './url-of.js';

const DEFAULT_MAX_TOKENS = 10_000;
/** Already there when the heap is looked at first: what is paid once is not paid for each tenant. */
const WARM_SHARE = 0.1;
const READS = 200_000;
const AT_ONCE = 200;

export interface TenantFigures {
  readonly readNs: number;
  readonly peekNs: number;
  /** `Map.get` + `Date.now` among as many entries. */
  readonly floorNs: number;
  readonly heapBytesPerTenant: number;
  readonly sweepMs: number;
  readonly fetchedPerSecond: number;
}

@Module({})
class EmptyModule {}

let serial = 0;

/** A platform in this process: its memory is a counter. */
const platform: typeof fetch = async (input) => {
  const kind = urlOf(input).includes('/app_access_token') ? 'app_access_token' : 'tenant_access_token';
  const value = `t-${String(++serial).padStart(40, '0')}`;
  return new Response(JSON.stringify({ code: 0, msg: 'ok', [kind]: value, expire: 7_200 }));
};

const calls = {
  async measure(tenants: number): Promise<TenantFigures> {
    const app = await start(tenants);
    const tokens = app.get(TokenService);
    const prewarmer = app.get(TokenPrewarmer);
    const keys = tenantKeys(tenants);
    const warm = Math.max(1, Math.floor(WARM_SHARE * tenants));

    await fill(tokens, keys.slice(0, warm));
    await live(tokens, keys.slice(0, warm));
    await prewarmer.sweep();
    const before = await heap();
    const start0 = performance.now();
    await fill(tokens, keys.slice(warm));
    const fillMs = performance.now() - start0;
    await live(tokens, keys.slice(warm));
    // It notes which tenants are in use, and that is memory too.
    await prewarmer.sweep();
    const heapBytesPerTenant = ((await heap()) - before) / Math.max(1, tenants - warm);

    const [readNs, peekNs] = [await readTime(tokens, keys), peekTime(tokens, keys)];
    const floorNs = floorTime(keys);
    const sweepMs = await sweepTime(prewarmer);
    await app.close();
    const fetchedPerSecond = ((tenants - warm) * 1_000) / fillMs;
    return { readNs, peekNs, floorNs, heapBytesPerTenant, sweepMs, fetchedPerSecond };
  },

  /** What the module adds to the start of an application that has nothing else in it. */
  async startupMs(): Promise<number> {
    const time = async (module: Type | DynamicModule): Promise<number> => {
      const begin = performance.now();
      const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
      const ms = performance.now() - begin;
      await app.close();
      return ms;
    };
    const differences: number[] = [];
    for (let i = 0; i < 5; i++) {
      const [without, with_] = [await time(EmptyModule), await time(moduleFor(1))];
      differences.push(with_ - without);
    }
    return quantile(differences, 0.5);
  },
};

export type GrowthCalls = typeof calls;

/** The default configuration, unless the tenants need more room than it has. */
function moduleFor(tenants: number): ReturnType<typeof FeishuAuthModule.forRoot> {
  return FeishuAuthModule.forRoot({
    ...STORE_APP,
    fetch: platform,
    ...(tenants > DEFAULT_MAX_TOKENS - 1 && { maxTokens: tenants + 1 }),
    // Swept by hand, where it is timed.
    prewarm: { onBootstrap: 'off', intervalMs: 1_200_000 },
  });
}

async function start(tenants: number): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(moduleFor(tenants), {
    logger: false,
    abortOnError: false,
  });
  await app.get(AppTicketService).set('ticket');
  return app;
}

async function fill(tokens: TokenService, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += AT_ONCE)
    await Promise.all(
      keys.slice(i, i + AT_ONCE).map((tenantKey) => tokens.getTenantAccessToken({ tenantKey })),
    );
}

/** What makes a tenant cost all that it ever does: a token that was renewed, and read since. */
async function live(tokens: TokenService, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    const some = keys.slice(i, i + AT_ONCE);
    await Promise.all(some.map((tenantKey) => tokens.refresh({ kind: 'tenant', tenantKey })));
    await fill(tokens, some);
  }
}

async function heap(): Promise<number> {
  // What flights leave behind is let go when they are over.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.gc?.();
  }
  return v8.getHeapStatistics().used_heap_size;
}

/** Tenants in an order that no cache of the processor can foresee. */
function shuffled<T>(values: readonly T[]): T[] {
  const STEP = 7_919; // a prime
  return values.map((_, i) => values[(i * STEP) % values.length] as T);
}

async function readTime(tokens: TokenService, keys: readonly string[]): Promise<number> {
  const queries = shuffled(keys).map((tenantKey) => ({ tenantKey }));
  const run = async (reads: number): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < reads; i++)
      sum += (await tokens.getTenantAccessToken(queries[i % queries.length])).length;
    return sum;
  };
  await run(READS / 10);
  const begin = performance.now();
  await run(READS);
  return ((performance.now() - begin) * 1e6) / READS;
}

function peekTime(tokens: TokenService, keys: readonly string[]): number {
  const handles = shuffled(keys).map((tenantKey) => tokens.handle({ kind: 'tenant', tenantKey }));
  const run = (reads: number): number => {
    let sum = 0;
    for (let i = 0; i < reads; i++) sum += handles[i % handles.length]?.peek()?.length ?? 0;
    return sum;
  };
  run(READS / 10);
  const begin = performance.now();
  run(READS);
  return ((performance.now() - begin) * 1e6) / READS;
}

/** What a read costs that does nothing but find its entry, in as much memory that is as far away. */
function floorTime(keys: readonly string[]): number {
  const expiresAt = Date.now() + 7_200_000;
  const entries = new Map(keys.map((key, i) => [key, { value: `t-${i}`, expiresAt: expiresAt + i }]));
  const wanted = shuffled(keys);
  const run = (reads: number): number => {
    let sum = 0;
    for (let i = 0; i < reads; i++) {
      const entry = entries.get(wanted[i % wanted.length] as string);
      if (entry !== undefined && Date.now() < entry.expiresAt) sum += entry.value.length;
    }
    return sum;
  };
  run(READS / 10);
  const begin = performance.now();
  run(READS);
  return ((performance.now() - begin) * 1e6) / READS;
}

async function sweepTime(prewarmer: TokenPrewarmer): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    await prewarmer.sweep();
    times.push(performance.now() - begin);
  }
  return quantile(times, 0.5);
}

serve(calls);
