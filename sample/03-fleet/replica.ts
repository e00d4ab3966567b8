import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FeishuAuthHealthIndicator, TokenService } from 'nestjs-feishu-auth';
import { type ReplicaFigures, tell } from './messages.js';
import { ReplicaModule } from './replica.module.js';

const READ_EVERY_MS = 20;
const CALL_EVERY_MS = 200;
const TELL_EVERY_MS = process.send ? 250 : 5_000;
const ECHO = '/open-apis/emulator/echo';

const app = await NestFactory.createApplicationContext(ReplicaModule, { logger: ['error', 'fatal'] });
app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
const tokens = app.get(TokenService);
const health = app.get(FeishuAuthHealthIndicator);
let failed = 0;
let refused = 0;
let slowestReadMs = 0;
let said = '';

async function read(): Promise<string | undefined> {
  const start = performance.now();
  try {
    return await tokens.getTenantAccessToken();
  } catch (error) {
    failed++;
    console.error(`a read failed: ${String(error)}`);
    return undefined;
  } finally {
    slowestReadMs = Math.max(slowestReadMs, performance.now() - start);
  }
}

/** What tokens are for; here it tells whether the platform takes the one that was read. */
async function callApi(): Promise<void> {
  const token = await read();
  if (token === undefined) return;
  const url = (process.env['FEISHU_OPEN'] ?? 'http://127.0.0.1:8089') + ECHO;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined);
  if (response === undefined) return;
  const { code } = (await response.json()) as { code: number };
  if (code !== 0) refused++;
}

async function tellFigures(): Promise<void> {
  const { kinds, lock } = tokens.metrics();
  const [state] = Object.values(await health.isHealthy());
  const figures: ReplicaFigures = {
    reads: kinds.tenant.requests,
    waited: kinds.tenant.waits,
    failed,
    refused,
    platformCalls: kinds.tenant.refresh.attempts,
    adopted: kinds.tenant.storeHits,
    lockWaits: lock.contended,
    slowestReadMs,
    health: state?.status ?? 'unknown',
  };
  tell({ figures });
  const text = JSON.stringify({ ...figures, slowestReadMs: Math.round(slowestReadMs) });
  if (!process.send && text !== said) console.log((said = text));
}

async function begin(): Promise<void> {
  // The one read that has to wait; all that follow are to find a token here.
  await read();
  setInterval(() => void read(), READ_EVERY_MS);
  setInterval(() => void callApi(), CALL_EVERY_MS);
}

process.once('message', () => void begin());
process.on('disconnect', () => process.exit());
setInterval(() => void tellFigures(), TELL_EVERY_MS);
if (process.send) tell({ ready: true });
else await begin();
