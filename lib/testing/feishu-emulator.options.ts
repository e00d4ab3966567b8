import { type EmulatedApp } from './emulator-apps.js';
import { type EmulatedUser } from './users/emulated-user.js';
import {
  type EmulatedOAuthOptions,
  type ResolvedOAuthOptions,
  resolveOAuthOptions,
} from './users/oauth-options.js';

/**
 * One request that the emulator has received. Holds no secret, no token and no query.
 *
 * @publicApi
 */
export interface RequestLogEntry {
  method: string;
  /** As sent, without the query. */
  path: string;
  /** When it came in, by the emulator's clock, in epoch milliseconds. */
  at: number;
  /** HTTP status of the answer; 0 until there is one; it stays 0 if the answer hangs or was cut off. */
  status: number;
  /** Feishu's `code` of the answer; 0 when all went well, -1 where there is none, as with plain text or no answer. */
  code: number;
  /** The `X-Tt-Logid` of the answer. */
  logId: string;
}

/**
 * @publicApi
 */
export interface FeishuEmulatorOptions {
  /** Where to listen. @default 0, any free port */
  port?: number;
  /** Which address to listen on. @default '127.0.0.1' */
  host?: string;
  /** Apps that exist from the start. @default [] */
  apps?: readonly EmulatedApp[];
  /** Users who can log in from the start. @default [] */
  users?: readonly EmulatedUser[];
  /** How user logins go. */
  oauth?: EmulatedOAuthOptions;
  /** How long a new token of an app or a tenant lives, in seconds. @default 7200 */
  tokenLifetimeSeconds?: number;
  /**
   * Asked again while at least this much of a token remains, the platform answers with the same token; below that with
   * a new one, and both work. In seconds. @default 1800
   */
  renewalWindowSeconds?: number;
  /** How long every request waits, in milliseconds of real time; or how long one to a given path does. @default 0 */
  latencyMs?: number | Readonly<Partial<Record<string, number>>>;
  /** HTTP status with which APIs refuse a token (99991663 and its like); both are seen in the wild. @default 400 */
  tokenErrorStatus?: 200 | 400;
  /** The `code` for a wrong secret: 10014 is what is seen, 10015 what is documented. @default 10014 */
  wrongSecretCode?: 10014 | 10015;
  /**
   * `true`: a self-built app's app token and tenant token are one string, as in the documentation's example; two of
   * a kind otherwise, which shows where an application mixes them up.
   * @default false
   */
  unifiedTokens?: boolean;
  /** Called for every request once its answer is decided. */
  onRequest?: (request: RequestLogEntry) => void;
}

/**
 * @internal
 */
export type ResolvedEmulatorOptions = Required<Omit<FeishuEmulatorOptions, 'onRequest' | 'oauth'>> &
  Pick<FeishuEmulatorOptions, 'onRequest'> & { oauth: ResolvedOAuthOptions };

/**
 * Fills in the defaults, and refuses what could not work.
 *
 * @internal
 */
export function resolveEmulatorOptions(options: FeishuEmulatorOptions): ResolvedEmulatorOptions {
  const resolved: ResolvedEmulatorOptions = {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    apps: options.apps ?? [],
    users: options.users ?? [],
    oauth: resolveOAuthOptions(options.oauth),
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 7_200,
    renewalWindowSeconds: options.renewalWindowSeconds ?? 1_800,
    latencyMs: options.latencyMs ?? 0,
    tokenErrorStatus: options.tokenErrorStatus ?? 400,
    wrongSecretCode: options.wrongSecretCode ?? 10014,
    unifiedTokens: options.unifiedTokens ?? false,
    ...(options.onRequest && { onRequest: options.onRequest }),
  };
  if (!(Number.isFinite(resolved.tokenLifetimeSeconds) && resolved.tokenLifetimeSeconds >= 1)) {
    throw new RangeError('tokenLifetimeSeconds must be at least 1');
  }
  if (!(Number.isFinite(resolved.renewalWindowSeconds) && resolved.renewalWindowSeconds >= 0)) {
    throw new RangeError('renewalWindowSeconds must be 0 or more');
  }
  return resolved;
}
