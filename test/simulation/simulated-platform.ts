import { type PhaseLog } from './phase-log.js';
import { type SeededRandom } from './seeded-random.js';
import { type VirtualTime } from './virtual-time.js';

const LIFE_MS = 7_200_000;
const SAME_TOKEN_MS = 1_800_000;

export const TICKET = 'ticket-of-the-simulation';

/** The token endpoints by the 30-minute rule, a network away, with outages. */
export class SimulatedPlatform {
  private readonly issued = new Map<string, { value: string; endsAt: number }>();
  private serial = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    private readonly log: PhaseLog,
    private readonly isDown: () => boolean,
  ) {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (typeof input !== 'string' || typeof init?.body !== 'string')
      throw new TypeError('no request of ours');
    const path = new URL(input).pathname;
    const body = JSON.parse(init.body) as Record<string, string>;
    this.log.called(this.time.now);
    const latencyMs = this.latency();
    await this.time.sleep(latencyMs / 2);
    const isDown = this.isDown();
    const answer = isDown ? undefined : this.grant(path, body);
    if (isDown) this.log.current.refusedCalls++;
    else this.log.current.answeredCalls++;
    await this.time.sleep(latencyMs / 2);
    return response(answer ? 200 : 503, answer ? JSON.stringify(answer) : 'upstream is down');
  };

  /** 100 ms at the median; one in a hundred takes a second longer. */
  private latency(): number {
    return this.random.between(50, 150) + (this.random.next() < 0.01 ? 1_000 : 0);
  }

  private grant(path: string, body: Record<string, string>): object {
    const end = path.slice(path.lastIndexOf('/') + 1);
    if (end === 'app_access_token') {
      if (body['app_ticket'] !== TICKET) return { code: 10012, msg: 'app ticket invalid' };
      return { code: 0, msg: 'ok', ...this.token('app_access_token', 'app') };
    }
    return { code: 0, msg: 'ok', ...this.token('tenant_access_token', String(body['tenant_key'])) };
  }

  private token(field: string, key: string): object {
    const { now } = this.time;
    let token = this.issued.get(key);
    if (!token || token.endsAt - now < SAME_TOKEN_MS) {
      token = { value: `t-${key}-${++this.serial}`, endsAt: now + LIFE_MS };
      this.issued.set(key, token);
      this.log.current.tokens++;
    }
    return { [field]: token.value, expire: Math.ceil((token.endsAt - now) / 1_000) };
  }
}

/** The part of a Response that is used: a real one costs more than all the rest of a renewal. */
function response(status: number, text: string): Response {
  const answer = { ok: status === 200, status, headers: new Headers(), text: () => Promise.resolve(text) };
  return answer as unknown as Response;
}
