import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type FeishuAuthHealthDetails } from '../health/health-details.js';
import { type TokenMetricsSnapshot } from '../metrics/token-metrics-snapshot.js';
import { type HeldTokenState } from '../telemetry/instance-telemetry.js';
import { type TokenKind } from '../tokens/access-token.js';

/**
 * One failed renewal.
 *
 * @publicApi
 */
export interface StatusFailure {
  /** ISO 8601. */
  at: string;
  kind: TokenKind;
  code: FeishuAuthErrorCode;
  /** Feishu's own code, if Feishu answered. */
  feishuCode?: number;
  /** The id under which Feishu's support finds the request. */
  logId?: string;
  /** ISO 8601: when the next attempt may start. */
  retryAt?: string;
}

/**
 * What happened in one minute.
 *
 * @publicApi
 */
export interface StatusMinute {
  /** ISO 8601: the end of the minute. */
  at: string;
  requests: number;
  hits: number;
  waits: number;
  /** Milliseconds: the mean wait of this minute; 0 without waits. */
  waitMs: number;
  refreshes: number;
  refreshFailures: number;
  /** Milliseconds: the mean duration of this minute's requests to Feishu; 0 without requests. */
  refreshMs: number;
}

/**
 * One instance on the status page.
 *
 * @publicApi
 */
export interface StatusInstance {
  metrics: TokenMetricsSnapshot;
  health: FeishuAuthHealthDetails & { status: 'up' | 'degraded' | 'down'; reason?: string };
  /** The application's own tokens, then those that end first; at most 12. */
  tokens: HeldTokenState[];
  /** The latest failed renewals, the newest first; at most 10. */
  failures: StatusFailure[];
  /** The last hour, the oldest minute first. */
  history: StatusMinute[];
}

/**
 * The body of `GET <statusPage.path>/snapshot` and of each `snapshot` event.
 *
 * @publicApi
 */
export interface StatusSnapshot {
  instances: StatusInstance[];
  process: { hostname: string; pid: number; node: string; version: string };
}
