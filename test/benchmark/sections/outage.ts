import { Test } from '@nestjs/testing';
import { FeishuAuthModule, TokenService } from 'nestjs-feishu-auth';
import { Clock, TestClock } from 'nestjs-feishu-auth/testing';
import { SELF_BUILT_APP } from '../load/platform.js';
import { VirtualPlatform } from '../load/virtual-platform.js';

const MINUTE_MS = 60_000;
const LIFE_MS = 120 * MINUTE_MS;
/** From before the earliest renewal until shortly before the token can no longer be used. */
const FROM_MS = LIFE_MS - 29 * MINUTE_MS;
const UNTIL_MS = LIFE_MS - 30_000;
const READS_A_SECOND = 100;

export interface Outage {
  readonly minutes: number;
  readonly reads: number;
  readonly failedReads: number;
  /** Requests for a token during the outage. */
  readonly attempts: number;
  /** From the platform's return until the new token, milliseconds. */
  readonly recoveredAfterMs: number;
}

/** The platform is down through the whole renewal window of a two-hour token, on a clock that only this moves. */
export async function outage(): Promise<Outage> {
  const clock = new TestClock();
  const platform = new VirtualPlatform(clock, 50);
  const builder = Test.createTestingModule({
    imports: [
      FeishuAuthModule.forRoot({ ...SELF_BUILT_APP, fetch: platform.fetch, prewarm: { onBootstrap: 'off' } }),
    ],
  });
  const app = await (await builder.overrideProvider(Clock).useValue(clock).compile()).init();
  // It logs what it is here to see.
  app.useLogger(false);
  const tokens = app.get(TokenService);
  const first = tokens.getTenantAccessToken();
  await clock.advance(FROM_MS);
  const token = await first;

  platform.isDown = true;
  platform.calls = 0;
  let failedReads = 0;
  let reads = 0;
  for (let elapsed = FROM_MS; elapsed < UNTIL_MS; elapsed += 1_000) {
    for (let i = 0; i < READS_A_SECOND; i++) {
      reads++;
      void tokens.getTenantAccessToken().catch(() => failedReads++);
    }
    await clock.advance(1_000);
  }
  const attempts = platform.calls;
  platform.isDown = false;
  let recoveredAfterMs = 0;
  const handle = tokens.handle({ kind: 'tenant' });
  for (; handle.peek() === token && recoveredAfterMs < MINUTE_MS; recoveredAfterMs += 100)
    await clock.advance(100);
  await app.close();
  return { minutes: (UNTIL_MS - FROM_MS) / MINUTE_MS, reads, failedReads, attempts, recoveredAfterMs };
}
