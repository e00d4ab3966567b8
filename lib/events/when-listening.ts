import { type HttpAdapterHost } from '@nestjs/core';
import { type Clock } from '../time/clock.js';

/** Bounds the wait for an application that never listens: its endpoint is elsewhere, or it is a test. */
const TIMEOUT_MS = 1_000;

/** Resolves when the host listens, or soon after the start: Feishu cannot reach the application before. */
export async function whenListening(host: HttpAdapterHost | undefined, clock: Clock): Promise<void> {
  if (!host?.httpAdapter || host.listening) return;
  const listening = new AbortController();
  const subscription = host.listen$.subscribe(() => listening.abort());
  await clock.sleep(TIMEOUT_MS, listening.signal);
  subscription.unsubscribe();
}
