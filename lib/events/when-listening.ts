import { type HttpAdapterHost } from '@nestjs/core';
import { type Clock } from '../time/clock.js';

/** An application that never listens here (its endpoint is elsewhere, or it is a test) is not waited for any longer. */
const AT_MOST_MS = 1_000;

/** Resolves when the host listens, or soon after: what the platform pushes before that reaches nobody. */
export async function whenListening(host: HttpAdapterHost | undefined, clock: Clock): Promise<void> {
  if (!host?.httpAdapter || host.listening) return;
  const listening = new AbortController();
  const subscription = host.listen$.subscribe(() => listening.abort());
  await clock.sleep(AT_MOST_MS, listening.signal);
  subscription.unsubscribe();
}
