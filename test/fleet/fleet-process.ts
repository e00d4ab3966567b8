import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createKeyv } from '@keyv/redis';
import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createClient, type RedisClientType } from '@redis/client';
import { type Cache, createCache } from 'cache-manager';
import {
  AppTicketService,
  FeishuAuthHealthIndicator,
  FeishuAuthModule,
  type TokenQuery,
  TokenService,
} from '../../lib/index.js';
import { RedisRefreshLock } from '../../lib/redis/index.js';
import {
  type FleetCalls,
  type FleetMessage,
  type FleetRequest,
  type ProcessSetup,
  type ReadingTotals,
  type TokenRead,
} from './fleet-messages.js';
import { type RejectedUse, verdictOn } from './rejected-use.js';

const ECHO = '/open-apis/emulator/echo';
const CONNECT_WAIT_MS = 1_000;

const setup = JSON.parse(process.argv[2] ?? '') as ProcessSetup;
const exit = (): never => process.exit();
const say = (message: FleetMessage): void => void process.send?.(message);

// The clocks of a machine whose wall clock is off; Keyv reads it too, so it is the globals that are.
let travelledMs = 0;
const [wall, monotonic] = [Date.now.bind(Date), performance.now.bind(performance)];
Date.now = () => wall() + (setup.skewMs ?? 0) + travelledMs;
performance.now = () => monotonic() + travelledMs;

/** The platform, told about: the test wants to know whose request is under way. */
const toldFetch: typeof fetch = (input, init) => {
  say({ event: 'asking' });
  return fetch(input, init);
};

function sharedCache(client: RedisClientType): Cache {
  const cache = createCache({ stores: [createKeyv(client)] });
  if (setup.stopsAtStoreRead === undefined) return cache;
  const get = cache.get.bind(cache);
  let reads = 0;
  cache.get = (key) => {
    if (++reads === setup.stopsAtStoreRead) {
      say({ event: 'stopping' });
      process.kill(process.pid, 'SIGSTOP');
    }
    return get(key);
  };
  return cache;
}

async function redisClient(): Promise<RedisClientType> {
  if (setup.client === 'plain') return createClient({ url: setup.redisUrl }) as RedisClientType;
  const client: RedisClientType = createClient({
    url: setup.redisUrl,
    disableOfflineQueue: true,
    socket: { connectTimeout: 2_000, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2_000) },
  });
  client.on('error', () => undefined);
  // Redis may be down, and the application starts all the same.
  await Promise.race([client.connect().catch(() => undefined), pause(CONNECT_WAIT_MS)]);
  return client;
}

async function start(client: RedisClientType): Promise<INestApplicationContext> {
  const { appId, appSecret, appType, domain, options } = setup;
  const module = FeishuAuthModule.forRoot({
    appId,
    appSecret,
    ...(appType && { appType }),
    domain,
    cache: sharedCache(client),
    lock: new RedisRefreshLock({ client }),
    fetch: toldFetch,
    prewarm: { onBootstrap: 'off', intervalMs: 1_000 },
    ...options,
  });
  return NestFactory.createApplicationContext(module, { logger: false });
}

const client = await redisClient();
const app = await start(client);
const tokens = app.get(TokenService);

async function timed(work: () => Promise<Omit<TokenRead, 'tookMs'>>): Promise<TokenRead> {
  const startedAt = monotonic();
  const token = await work();
  return { ...token, tookMs: monotonic() - startedAt };
}

async function read(query: TokenQuery): Promise<Omit<TokenRead, 'tookMs'>> {
  const { value, expiresAt, obtainedAt, source } = await tokens.getToken(query);
  return { value, expiresAt: expiresAt.getTime(), obtainedAt: obtainedAt.getTime(), source };
}

async function isAccepted(value: string): Promise<boolean> {
  const response = await fetch(setup.domain.open + ECHO, { headers: { authorization: `Bearer ${value}` } });
  return ((await response.json()) as { code: number }).code === 0;
}

const nothingYet = (): ReadingTotals => ({
  reads: 0,
  slowestMs: 0,
  failures: [],
  checks: 0,
  rejected: [],
  stalled: [],
});
let totals = nothingYet();
let reading: NodeJS.Timeout | undefined;
let checking: NodeJS.Timeout | undefined;

async function timedRead<T>(into: ReadingTotals, work: () => Promise<T>): Promise<T | undefined> {
  const startedAt = monotonic();
  try {
    return await work();
  } catch (error) {
    into.failures.push(String(error));
    return undefined;
  } finally {
    into.reads++;
    into.slowestMs = Math.max(into.slowestMs, monotonic() - startedAt);
  }
}

async function checkOnce(into: ReadingTotals): Promise<void> {
  // Before the read: a stall right after it must not make a good token look like one that was handed out too late.
  const [askedAt, startedAt] = [Date.now(), monotonic()];
  const token = await timedRead(into, () => tokens.getToken({ kind: 'tenant' }));
  if (token === undefined) return;
  into.checks++;
  if (await isAccepted(token.value).catch(() => true)) return;
  const expiresAt = token.expiresAt.getTime();
  const use: RejectedUse = {
    value: token.value,
    lifeMs: expiresAt - token.obtainedAt.getTime(),
    leftMs: expiresAt - askedAt,
    tookMs: monotonic() - startedAt,
  };
  into[verdictOn(use)].push(use);
}

const calls: FleetCalls = {
  get: (tenantKey) =>
    timed(() => read(tenantKey === undefined ? { kind: 'tenant' } : { kind: 'tenant', tenantKey })),
  refresh: () =>
    timed(async () => {
      await tokens.refresh({ kind: 'tenant' });
      return read({ kind: 'tenant' });
    }),
  invalidate: (value) => tokens.invalidate({ kind: 'tenant' }, value),
  spoil: async () => {
    const token = await tokens.getToken({ kind: 'tenant' });
    token.expiresAt.setTime(0);
    Object.assign(token, { value: 'spoilt', obtainedAt: null });
    return timed(() => read({ kind: 'tenant' }));
  },
  metrics: () => tokens.metrics(),
  health: async () => {
    const [result] = Object.values(await app.get(FeishuAuthHealthIndicator).isHealthy());
    return {
      status: String(result?.status),
      ...(result?.['reason'] && { reason: String(result['reason']) }),
    };
  },
  isAccepted,
  setTicket: (ticket) => app.get(AppTicketService).set(ticket),
  startReading: (everyMs, checkEveryMs) => {
    // Not those of an earlier time, which reads that are still under way go on to count in.
    const into = (totals = nothingYet());
    reading = setInterval(() => void timedRead(into, () => tokens.getTenantAccessToken()), everyMs);
    checking = setInterval(() => void checkOnce(into), checkEveryMs);
  },
  stopReading: () => {
    clearInterval(reading);
    clearInterval(checking);
    return totals;
  },
  travel: (ms) => {
    travelledMs += ms;
  },
  heapUsed: () => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  },
  close: async () => {
    process.off('disconnect', exit);
    await app.close();
    if (client.isOpen) await client.close();
  },
};

async function answer({ id, method, args }: FleetRequest): Promise<void> {
  try {
    const call = calls[method] as (...given: unknown[]) => unknown;
    say({ id, result: (await call(...args)) ?? null });
  } catch (error) {
    say({ id, error: inspect(error) });
  }
}

process.on('message', (request: FleetRequest) => void answer(request));
// Whoever started it is gone: so is its reason to be.
process.on('disconnect', exit);
say({ event: 'ready' });
