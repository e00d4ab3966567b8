import * as v from 'valibot';
import { isErrorLike, MAX_CAUSES } from '../errors/sanitize-cause.js';
import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { withDeadline, withSignal } from '../time/deadline.js';
import { meaningOf } from './error-codes.js';
import { type AppType } from './app-type.js';

/** Dependencies and settings of the client. */
export interface PlatformClientOptions {
  readonly openOrigin: string;
  readonly appType: AppType;
  readonly requestTimeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Removed from the messages of foreign errors. */
  readonly secrets: readonly string[];
}

/** An answer with `code: 0`, and the time of its request. */
export interface PlatformAnswer {
  readonly body: unknown;
  /** Both clocks before the request was sent. A token's life starts there. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
  readonly logId: string | undefined;
}

// Only the code decides: a wrong `msg` does not matter.
const Envelope = v.object({ code: v.number(), msg: v.fallback(v.optional(v.string()), undefined) });

/** The limits of a reset time that Feishu sends. */
const MIN_RESET_S = 1;
const MAX_RESET_S = 300;
/** Answers of the token endpoints are far shorter. */
const MAX_BODY_CHARS = 64 * 1024;

/** Created once: the default reason of an abort is expensive to create. */
const OVER = new Error('the request is over');

/** Sends requests to the token endpoints: timeout, parsing and classification. */
export class FeishuPlatformClient {
  constructor(private readonly options: PlatformClientOptions) {}

  /**
   * POSTs `body` and resolves with an answer whose `code` is 0.
   *
   * @throws FeishuAuthError classified by `error-codes.ts`; `ERR_FEISHU_PLATFORM_UNAVAILABLE` without an answer;
   * `ERR_FEISHU_MALFORMED_RESPONSE` for an answer that Feishu did not write
   */
  async post(path: string, body: Record<string, string>, signal: AbortSignal): Promise<PlatformAnswer> {
    const { clock } = this.options;
    const startedAt = clock.now();
    const startedMonotonic = clock.monotonic();
    const { response, text } = await this.exchange(path, body, signal);
    const answered = this.parse(path, response, text, body);
    return { body: answered, startedAt, startedMonotonic, logId: logIdOf(response) };
  }

  private async exchange(
    path: string,
    body: Record<string, string>,
    signal: AbortSignal,
  ): Promise<{ response: Response; text: string }> {
    const { clock, openOrigin, requestTimeoutMs } = this.options;
    // A separate controller, so that a timeout also ends the request.
    const controller = new AbortController();
    const send = async (): Promise<{ response: Response; text: string }> => {
      const response = await this.options.fetch(openOrigin + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(body),
        // A redirect would send the secret to another host.
        redirect: 'manual',
        signal: controller.signal,
      });
      if (typeof response?.text !== 'function')
        throw new TypeError('the fetch function did not return a Response');
      return { response, text: await response.text() };
    };
    try {
      const timedOut = (): FeishuAuthError =>
        new FeishuAuthError(
          'ERR_FEISHU_PLATFORM_UNAVAILABLE',
          `POST ${path}: no answer within ${requestTimeoutMs} ms`,
          { retryable: true },
        );
      return await withDeadline(clock, withSignal(send(), signal), requestTimeoutMs, timedOut);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (isFeishuAuthError(error)) throw error;
      throw new FeishuAuthError(
        'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        `POST ${path}: the request failed; check network, proxy and domain`,
        { retryable: true, cause: this.redacted(error, body) },
      );
    } finally {
      controller.abort(OVER);
    }
  }

  private parse(path: string, response: Response, text: string, sent: Record<string, string>): unknown {
    const body = text.length > MAX_BODY_CHARS ? undefined : parseJson(text);
    const envelope = v.safeParse(Envelope, body);
    if (envelope.success) {
      if (envelope.output.code === 0 && response.ok) return body;
      if (envelope.output.code !== 0) {
        const { code, msg = '' } = envelope.output;
        throw this.refusal(path, response, code, this.withoutSecrets(msg, sent));
      }
    }
    if (response.status === 429) throw this.rateLimit(path, response, undefined, 'too many requests');
    if (response.status >= 500) {
      throw new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', `POST ${path}: HTTP ${response.status}`, {
        retryable: true,
        retryAt: this.resetOf(response),
        logId: logIdOf(response),
      });
    }
    throw malformed(
      path,
      `HTTP ${response.status} without the documented JSON; check the option domain, and check whether a proxy answers`,
      logIdOf(response),
    );
  }

  private refusal(path: string, response: Response, feishuCode: number, msg: string): FeishuAuthError {
    const { code, hint } = meaningOf(feishuCode, this.options.appType);
    const isRateLimit = code === 'ERR_FEISHU_RATE_LIMITED' || response.status === 429;
    if (isRateLimit) return this.rateLimit(path, response, feishuCode, hint);
    return new FeishuAuthError(
      code,
      `POST ${path}: Feishu answered code ${feishuCode}${said(msg)}: ${hint}`,
      {
        retryable: code === 'ERR_FEISHU_PLATFORM_UNAVAILABLE' || code === 'ERR_FEISHU_APP_TICKET_MISSING',
        feishuCode,
        logId: logIdOf(response),
        retryAt: code === 'ERR_FEISHU_PLATFORM_UNAVAILABLE' ? this.resetOf(response) : undefined,
      },
    );
  }

  private rateLimit(
    path: string,
    response: Response,
    feishuCode: number | undefined,
    hint: string,
  ): FeishuAuthError {
    return new FeishuAuthError('ERR_FEISHU_RATE_LIMITED', `POST ${path}: ${hint}`, {
      retryable: true,
      feishuCode,
      logId: logIdOf(response),
      retryAt: this.resetOf(response),
    });
  }

  /** Reads `x-ogw-ratelimit-reset`, else `Retry-After`. Both are seconds from now. */
  private resetOf(response: Response): Date | undefined {
    for (const header of ['x-ogw-ratelimit-reset', 'retry-after']) {
      const seconds = Number(response.headers.get(header) || Number.NaN);
      if (!Number.isFinite(seconds)) continue;
      const clamped = Math.min(Math.max(seconds, MIN_RESET_S), MAX_RESET_S);
      return new Date(this.options.clock.now() + clamped * 1_000);
    }
    return undefined;
  }

  /** Removes secrets from a foreign error, which may quote the request. */
  private redacted(error: unknown, sent: Record<string, string>, depth = 0): unknown {
    if (depth > MAX_CAUSES) return undefined;
    if (!isErrorLike(error)) return error;
    const cause = this.redacted(error.cause, sent, depth + 1);
    const clean = new Error(this.withoutSecrets(error.message, sent), { cause });
    clean.name = error.name;
    return Object.assign(clean, { code: (error as { code?: unknown }).code });
  }

  private withoutSecrets(text: string, sent: Record<string, string>): string {
    const secrets = [...this.options.secrets, ...Object.values(sent)].filter((secret) => secret.length >= 6);
    return secrets.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
  }
}

/** @internal */
export function malformed(path: string, what: string, logId?: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_MALFORMED_RESPONSE', `POST ${path}: ${what}`, {
    retryable: true,
    logId,
  });
}

function logIdOf(response: Response): string | undefined {
  return response.headers.get('x-tt-logid') ?? response.headers.get('x-request-id') ?? undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function said(msg: string): string {
  return msg ? ` ("${msg.slice(0, 120)}")` : '';
}
