import { urlOf } from './url-of.js';
import { type TestClock } from 'nestjs-feishu-auth/testing';

interface Issued {
  readonly value: string;
  readonly expiresAt: number;
}

/** With this much left or more, the platform hands out the same token again. */
const SAME_TOKEN_MS = 30 * 60_000;
const LIFETIME_MS = 7_200_000;

/** The platform's token endpoints as a `fetch` in this process, on a clock that only the benchmark moves. */
export class VirtualPlatform {
  calls = 0;
  isDown = false;
  private serial = 0;
  private readonly issued = new Map<string, Issued>();

  constructor(
    private readonly clock: TestClock,
    private readonly latencyMs: number,
  ) {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    this.calls++;
    const { isDown } = this;
    await this.clock.sleep(this.latencyMs);
    if (isDown) return new Response('bad gateway', { status: 502 });
    const kind = urlOf(input).includes('/app_access_token') ? 'app_access_token' : 'tenant_access_token';
    const { tenant_key: tenantKey = '' } = JSON.parse(init?.body as string) as { tenant_key?: string };
    const { value, expiresAt } = this.token(`${kind}:${tenantKey}`);
    const expire = Math.floor((expiresAt - this.clock.trueTime()) / 1_000);
    return new Response(JSON.stringify({ code: 0, msg: 'ok', [kind]: value, expire }));
  };

  private token(key: string): Issued {
    const now = this.clock.trueTime();
    const current = this.issued.get(key);
    if (current && current.expiresAt - now >= SAME_TOKEN_MS) return current;
    const issued = { value: `t-${++this.serial}`, expiresAt: now + LIFETIME_MS };
    this.issued.set(key, issued);
    return issued;
  }
}
