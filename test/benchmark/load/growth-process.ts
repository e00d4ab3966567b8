import v8 from 'node:v8';
import { type DynamicModule, type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppTicketService, FeishuAuthModule, TokenPrewarmer, TokenService } from 'nestjs-feishu-auth';
import { growthLoops } from '../micro/growth-loops.js';
import { nsPerRead } from '../micro/many-reads.js';
import { quantile } from '../statistics.js';
import { STORE_APP, tenantKeys } from './platform.js';
import { serve } from './rpc.js';
import { urlOf } from './url-of.js';

const DEFAULT_MAX_TOKENS = 10_000;
/** Already there when the heap is looked at first: what is paid once is not paid for each tenant. */
const WARM_SHARE = 0.1;
/** Renewals before that: until V8 has compiled them, and its code is on the heap. */
const REHEARSALS = 6_000;
const AT_ONCE = 200;
const SWEEPS = 5;

export interface TenantFigures {
  readonly ns: Readonly<Record<keyof ReturnType<typeof growthLoops>, number>>;
  readonly heapBytesPerTenant: number;
  /** The sweep that merges and writes: all these tenants are news to it. */
  readonly firstSweepMs: number;
  /** One that finds nothing new. */
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
    const warm = Math.floor(WARM_SHARE * tenants);

    await fill(tokens, keys.slice(0, warm));
    for (let i = 0; i < REHEARSALS; i += warm || REHEARSALS) await live(tokens, keys.slice(0, warm));
    await prewarmer.sweep();
    const before = await heap();
    const start0 = performance.now();
    await fill(tokens, keys.slice(warm));
    const fillMs = performance.now() - start0;
    await live(tokens, keys.slice(warm));
    // It notes which tenants are in use, and that is memory too.
    const firstSweepMs = await sweepTime(prewarmer);
    const heapBytesPerTenant = ((await heap()) - before) / Math.max(1, tenants - warm);

    const ns = await nsPerRead(growthLoops(tokens, keys));
    const sweeps: number[] = [];
    for (let i = 0; i < SWEEPS; i++) sweeps.push(await sweepTime(prewarmer));
    await app.close();
    return {
      ns,
      heapBytesPerTenant,
      firstSweepMs,
      sweepMs: quantile(sweeps, 0.5),
      fetchedPerSecond: ((tenants - warm) * 1_000) / fillMs,
    };
  },

  /** What the first module of a process adds to that once: Node's fetch is loaded. To be asked for before anything else. */
  fetchLoadMs(): number {
    const begin = performance.now();
    void globalThis.Request;
    return performance.now() - begin;
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

async function sweepTime(prewarmer: TokenPrewarmer): Promise<number> {
  const begin = performance.now();
  await prewarmer.sweep();
  return performance.now() - begin;
}

serve(calls);
