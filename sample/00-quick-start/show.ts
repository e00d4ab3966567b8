import { setTimeout as sleep } from 'node:timers/promises';
import { type INestApplicationContext } from '@nestjs/common';
import { FeishuHttpService, type TokenKindMetrics, TokenService } from 'nestjs-feishu-auth';
import { type FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { Platform } from './platform.js';
import { count, figures, heading, microseconds, milliseconds, say, seconds } from './terminal.js';

const COLD_CALLERS = 1_000;
const API_CALLS = 100;
const BOT_INFO = '/open-apis/bot/v3/info';
const STEADY_MS = 2_000;
const READS_A_TURN = 100;
const TURN_MS = 5;

/** Demonstrates the module on the terminal. Every figure is measured during the run. */
export async function show(app: INestApplicationContext): Promise<void> {
  const tokens = app.get(TokenService);
  const platform = app.get(Platform);
  const { emulator } = platform;
  const tenant = (): TokenKindMetrics => tokens.metrics().kinds.tenant;
  /** Counted by the emulator, or by the module with a real app. */
  const tokenRequests = (): number => platform.emulatedTokenRequests ?? tenant().refresh.attempts;

  console.log(`nestjs-feishu-auth: a valid token at any moment.\n${platform.description}`);
  await coldStart();
  await steadyTraffic();
  await renewal();
  await revocation();

  heading('5. The result of TokenService.performanceReport():');
  say(tokens.performanceReport());

  async function coldStart(): Promise<void> {
    heading(
      `1. Cold start: ${count(COLD_CALLERS)} callers ask for a token at the same time, and none is held yet`,
    );
    const requestsBefore = tokenRequests();
    const start = performance.now();
    const values = await Promise.all(
      Array.from({ length: COLD_CALLERS }, () => tokens.getTenantAccessToken()),
    );
    const tookMs = performance.now() - start;
    figures([
      ['callers with a token', count(values.length), `after ${milliseconds(tookMs)}`],
      ['requests to Feishu', count(tokenRequests() - requestsBefore)],
    ]);
    say('All callers of the same token share one request.');
  }

  async function steadyTraffic(): Promise<void> {
    heading('2. Steady traffic: the token is read again and again');
    const before = tenant();
    const requestsBefore = tokenRequests();
    const endsAt = performance.now() + STEADY_MS;
    const { durations, tookMs } = await readUntil(() => performance.now() >= endsAt);
    figures([
      [
        'reads',
        count(durations.length),
        `in ${seconds(tookMs)}, each in ${microseconds(median(durations))} (median)`,
      ],
      ['answered from memory', count(tenant().hits - before.hits)],
      ['requests to Feishu', count(tokenRequests() - requestsBefore)],
    ]);
    say('Reading a held token costs almost nothing: read it before every call and keep no copy.');
  }

  async function renewal(): Promise<void> {
    heading('3. A renewal in the background');
    const { expiresAt } = await tokens.getToken({ kind: 'tenant' });
    if (!emulator) {
      say(
        `Skipped: a renewal starts less than 30 minutes before a token expires, and this token is valid for\n` +
          `another ${Math.floor((expiresAt.getTime() - Date.now()) / 60_000)} minutes. Run the sample without credentials to see it on the emulator.`,
      );
      return;
    }
    const lifeLeftMs = expiresAt.getTime() - Date.now();
    say(`The traffic continues until the token of step 1 has expired, in ${seconds(lifeLeftMs)} ...`);
    const before = tenant();
    const lateBefore = tokens.metrics().prewarm.late;
    const { durations } = await readUntil(() => Date.now() > expiresAt.getTime() + TURN_MS);
    const after = tenant();
    const waited = after.waits - before.waits;
    const renewed = after.refresh.success - before.refresh.success;
    figures([
      ['reads', count(durations.length)],
      ['renewals', count(renewed), `${count(tokens.metrics().prewarm.late - lateBefore)} of them late`],
      [
        'reads during a renewal',
        count(after.staleServed - before.staleServed),
        'answered immediately with the valid old token',
      ],
      ['reads that waited', count(waited)],
    ]);
    say(
      waited === 0
        ? 'Tokens are renewed in the background before they expire: no caller waited.'
        : 'Some callers waited: this machine was too busy to renew such a short-lived token in time.',
    );
  }

  async function revocation(): Promise<void> {
    heading('4. A revoked token is replaced, and no call fails');
    if (!emulator) {
      say('Skipped: Feishu cannot revoke a token on request. Run the sample without credentials to see it.');
      return;
    }
    await revokeUnder(emulator);
  }

  async function revokeUnder(revoking: FeishuEmulator): Promise<void> {
    // A fresh token, so that no due renewal distorts the figures.
    say('TokenService.refresh() fetches a new token, and the emulator revokes it.');
    const { value } = await tokens.refresh({ kind: 'tenant' });
    revoking.revoke(value);
    const feishu = app.get(FeishuHttpService);
    const requestsBefore = tokenRequests();
    const rejectedBefore = rejections(revoking);
    const succeeded = await Promise.all(
      Array.from({ length: API_CALLS }, async () => {
        const response = await feishu.fetch(BOT_INFO);
        const { code } = (await response.json()) as { code: number };
        return code === 0;
      }),
    );
    const failed = succeeded.filter((isSuccess) => !isSuccess).length;
    figures([
      ['API calls', count(succeeded.length), `in parallel, each GET ${BOT_INFO} with FeishuHttpService`],
      ['rejected by the API', count(rejections(revoking) - rejectedBefore), 'because of the revoked token'],
      ['new tokens fetched', count(tokenRequests() - requestsBefore)],
      ['failed calls', count(failed)],
    ]);
    say(
      failed === 0
        ? 'The revoked token was replaced once, and each rejected call was sent again with the new token.'
        : 'Some calls failed.',
    );
  }

  async function readUntil(isOver: () => boolean): Promise<{ durations: number[]; tookMs: number }> {
    const durations: number[] = [];
    const start = performance.now();
    while (!isOver()) {
      for (let read = 0; read < READS_A_TURN; read++) {
        const readStart = performance.now();
        await tokens.getTenantAccessToken();
        durations.push(performance.now() - readStart);
      }
      await sleep(TURN_MS);
    }
    return { durations, tookMs: performance.now() - start };
  }
}

function rejections(emulator: FeishuEmulator): number {
  return emulator.requestsTo(BOT_INFO).filter(({ code }) => code !== 0).length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
