import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type FeishuDomain, FeishuAuthHealthIndicator, TokenService } from 'nestjs-feishu-auth';
import { readEnvironment } from './environment.js';
import { type Report } from './messages.js';

const READ_EVERY_MS = 20;
const API_CALL_EVERY_MS = 250;
const API_CALL_LIMIT_MS = 5_000;
const BOT_INFO = '/open-apis/bot/v3/info';

/** What an application does all day: it reads the token, and now and then calls an API with it. */
@Injectable()
export class SteadyReader implements OnApplicationShutdown {
  private readonly api = `${originOf(readEnvironment(process.env).domain)}${BOT_INFO}`;
  private readonly totals = { reads: 0, failedReads: 0, apiCalls: 0, rejected: 0 };
  private slowestMs = 0;
  private held: Report['held'];
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly tokens: TokenService,
    private readonly health: FeishuAuthHealthIndicator,
  ) {}

  start(): void {
    this.timers = [
      setInterval(() => void this.read(), READ_EVERY_MS),
      setInterval(() => void this.callApi(), API_CALL_EVERY_MS),
    ];
    void this.read();
  }

  onApplicationShutdown(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** How this replica is doing; the slowest read is that since the last report. */
  async report(): Promise<Report> {
    const [health] = Object.values(await this.health.isHealthy());
    const { kinds, lock } = this.tokens.metrics();
    const { refresh, storeHits, misses } = kinds.tenant;
    const { slowestMs } = this;
    this.slowestMs = 0;
    return {
      ...this.totals,
      slowestMs,
      platformCalls: refresh.attempts,
      adopted: storeHits,
      lockWaits: lock.contended + lock.failedOpen,
      isAsking: misses > refresh.attempts,
      health: health?.status ?? 'unknown',
      ...(this.held && { held: this.held }),
    };
  }

  private async read(): Promise<string | undefined> {
    const startedAt = performance.now();
    try {
      const { value, obtainedAt } = await this.tokens.getToken({ kind: 'tenant' });
      this.held = { fingerprint: fingerprintOf(value), obtainedAt: obtainedAt.getTime() };
      return value;
    } catch {
      this.totals.failedReads++;
      return undefined;
    } finally {
      this.totals.reads++;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
    }
  }

  /** By hand: FeishuHttpService would replace a rejected token, and here it has to be seen. */
  private async callApi(): Promise<void> {
    const token = await this.read();
    if (token === undefined) return;
    try {
      const response = await fetch(this.api, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(API_CALL_LIMIT_MS),
      });
      const { code } = (await response.json()) as { code: number };
      this.totals.apiCalls++;
      if (code !== 0) this.totals.rejected++;
    } catch {
      // No answer is no rejection.
    }
  }
}

/** Tells tokens apart without showing them. */
function fingerprintOf(value: string): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 8);
}

function originOf(domain: FeishuDomain): string {
  if (typeof domain !== 'string') return domain.open;
  return { feishu: 'https://open.feishu.cn', lark: 'https://open.larksuite.com' }[domain];
}
