import { STATUS_CODES } from 'node:http';
import { type EmulatorReply, failure, json, text } from './emulator-reply.js';
import { oauthError } from './users/oauth-errors.js';

/**
 * Something that goes wrong. What is not given stays as it is: a fault with only `latencyMs` slows the request down and
 * lets it through.
 *
 * @publicApi
 */
export interface EmulatorFault {
  /** Requests whose path (without query) begins with this string, or matches this expression. @default every request */
  path?: string | RegExp;
  /** Only requests to an OAuth token endpoint with this `grant_type`, e.g. `refresh_token`. @default every request */
  grantType?: string;
  /**
   * `'request'`: the request is not looked at. `'answer'`: it is carried out first, so that a refresh token is used up,
   * and then its answer is delayed, replaced or lost.
   * @default 'request'
   */
  stage?: 'request' | 'answer';
  /** How many requests it hits before it is used up. @default no limit, until `clear()` */
  times?: number;
  /** How long the request waits first, in milliseconds of real time. */
  latencyMs?: number;
  /** HTTP status of the answer. @default 200, or 429 with `code` 99991400 */
  status?: number;
  /**
   * Feishu's `code` of the answer, which is `{ code, msg }` unless `body` is given; at an OAuth token endpoint
   * `{ code, error, error_description }` with the status that the code is documented with.
   */
  code?: number;
  /** Sent as it is if it is a string, be it JSON or not; as JSON otherwise. */
  body?: string | object;
  /** Headers of the answer. Alone, they are added to the ordinary answer. */
  headers?: Record<string, string>;
  /** `'reset'` cuts the connection, `'hang'` never answers. */
  kind?: 'reset' | 'hang';
}

/**
 * A fault that was added.
 *
 * @publicApi
 */
export interface EmulatorFaultHandle {
  /** How many requests it has hit. */
  readonly hits: number;
  /** Takes it out again. */
  remove(): void;
}

/**
 * What a request has to endure.
 *
 * @internal
 */
export interface FaultOutcome {
  latencyMs: number;
  kind?: 'reset' | 'hang';
  reply?: EmulatorReply;
  headers?: Record<string, string>;
}

interface ActiveFault extends EmulatorFaultHandle {
  readonly fault: EmulatorFault;
  hits: number;
}

const RATE_LIMITED = 99991400;

const MESSAGES: Partial<Record<number, string>> = {
  1500: 'internal error',
  2200: 'internal error',
  5000: 'internal error',
  10003: 'invalid param',
  10012: 'app_ticket invalid',
  10014: 'app secret invalid',
  10015: 'app secret invalid',
  99991400: 'request trigger frequency limit',
  99991403: 'monthly api quota exceeded',
  99991661: 'Missing access token for authorization. Please make a request with token attached.',
  99991663: 'Invalid access token for authorization. Please make a test attempt with the correct token.',
  99991672: 'Access denied. The app lacks a required scope.',
};

/**
 * What goes wrong at the platform. Faults are looked at in the order they were added: delays add up, and the first one
 * that shapes the answer decides it.
 *
 * @example
 * emulator.faults.add({ path: '/open-apis/auth/', times: 2, status: 503 });
 *
 * @publicApi
 */
export class EmulatorFaults {
  private readonly active = new Set<ActiveFault>();

  add(fault: EmulatorFault): EmulatorFaultHandle {
    const active: ActiveFault = {
      fault: { ...fault },
      hits: 0,
      remove: () => void this.active.delete(active),
    };
    this.active.add(active);
    return active;
  }

  /** Nothing goes wrong any more. What already hangs keeps hanging. */
  clear(): void {
    this.active.clear();
  }

  /** @internal */
  strike(path: string, stage: 'request' | 'answer' = 'request', grantType?: string): FaultOutcome {
    let latencyMs = 0;
    for (const active of this.active) {
      const { fault } = active;
      if ((fault.stage ?? 'request') !== stage || !matches(fault, path)) continue;
      if (fault.grantType !== undefined && fault.grantType !== grantType) continue;
      active.hits += 1;
      if (active.hits >= (fault.times ?? Infinity)) active.remove();
      latencyMs += fault.latencyMs ?? 0;
      if (fault.kind !== undefined) return { latencyMs, kind: fault.kind };
      const reply = shape(fault, grantType !== undefined);
      if (reply) return { latencyMs, reply };
      if (fault.headers) return { latencyMs, headers: lowerCased(fault.headers) };
    }
    return { latencyMs };
  }
}

function matches({ path: wanted, times = Infinity }: EmulatorFault, path: string): boolean {
  if (times <= 0) return false;
  if (wanted === undefined) return true;
  // search() and not test(): an expression with the g flag remembers where it was.
  return typeof wanted === 'string' ? path.startsWith(wanted) : path.search(wanted) !== -1;
}

function shape(fault: EmulatorFault, isGrant: boolean): EmulatorReply | undefined {
  const { code, body } = fault;
  const status = fault.status ?? (code === RATE_LIMITED ? 429 : 200);
  let reply: EmulatorReply;
  if (typeof body === 'string') reply = text(body, status);
  else if (body !== undefined) reply = json(body, status);
  else if (code !== undefined && isGrant) {
    reply = oauthError(code, fault.status) ?? failure(code, MESSAGES[code] ?? 'failed', status);
  } else if (code !== undefined) reply = failure(code, MESSAGES[code] ?? 'failed', status);
  else if (fault.status !== undefined) reply = text(STATUS_CODES[status] ?? '', status);
  else return undefined;
  if (code !== undefined) reply.code = code;
  const limits =
    code === RATE_LIMITED ? { 'x-ogw-ratelimit-limit': '100', 'x-ogw-ratelimit-reset': '1' } : undefined;
  reply.headers = { ...reply.headers, ...limits, ...lowerCased(fault.headers) };
  return reply;
}

function lowerCased(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
