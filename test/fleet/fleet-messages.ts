import { type FeishuAuthModuleOptions, type TokenMetricsSnapshot } from '../../lib/index.js';
import { type RejectedUse } from './rejected-use.js';
import { type AppType } from '../../lib/platform/app-type.js';

/** How one process of the fleet is set up. */
export interface ProcessSetup {
  appId: string;
  appSecret: string;
  appType?: AppType;
  domain: { open: string; accounts: string };
  redisUrl: string;
  /**
   * `recommended`: as docs/redis.md says. `plain`: `createClient({ url })` and nothing else, neither connected nor
   * listened to.
   */
  client?: 'recommended' | 'plain';
  options?: Partial<Pick<FeishuAuthModuleOptions, 'refresh' | 'prewarm' | 'maxTokens'>>;
  /** How far the wall clock of this process is off, in milliseconds. */
  skewMs?: number;
  /** Stops itself, as SIGSTOP does, right before it sends this read of the store, counted from 1. */
  stopsAtStoreRead?: number;
}

/** A token as a caller of the process got it. */
export interface TokenRead {
  value: string;
  expiresAt: number;
  obtainedAt: number;
  source: string;
  tookMs: number;
}

/** What steady reading came to. */
export interface ReadingTotals {
  reads: number;
  /** The slowest read, in milliseconds. */
  slowestMs: number;
  failures: string[];
  /** API calls with the token that was read. */
  checks: number;
  rejected: RejectedUse[];
  /** Those that the machine is to blame for. */
  stalled: RejectedUse[];
}

export interface HealthReport {
  status: string;
  reason?: string;
}

/** What the test can ask a process to do; each answer goes through JSON. */
export interface FleetCalls {
  get(tenantKey?: string): Promise<TokenRead>;
  refresh(): Promise<TokenRead>;
  invalidate(value: string): Promise<boolean>;
  /** Does to what it got whatever a careless caller can, and reads again. */
  spoil(): Promise<TokenRead>;
  metrics(): TokenMetricsSnapshot;
  health(): Promise<HealthReport>;
  /** Whether the platform's API takes this token. */
  isAccepted(value: string): Promise<boolean>;
  setTicket(ticket: string): Promise<void>;
  /** Begins to read without end, calling an API with the token now and then; counts from nothing. */
  startReading(everyMs: number, checkEveryMs: number): void;
  stopReading(): ReadingTotals;
  /** Lets `ms` go by on the clocks of this process, timers excepted. */
  travel(ms: number): void;
  heapUsed(): number;
  close(): Promise<void>;
}

export interface FleetRequest {
  id: number;
  method: keyof FleetCalls;
  args: unknown[];
}

/** What a process says: an answer, or that something happens in it. */
export type FleetMessage =
  | { id: number; result: unknown }
  | { id: number; error: string }
  | { event: 'ready' | 'asking' | 'stopping' };
