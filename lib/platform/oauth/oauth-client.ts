import { isErrorLike, MAX_CAUSES } from '../../errors/sanitize-cause.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline } from '../../time/deadline.js';
import { boundedText } from '../bounded-text.js';
import { OAuthFailure } from './oauth-failure.js';
import { surelyNotSent } from './not-sent.js';

/** @internal */
export interface OAuthClientOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  /** Struck out of any foreign text. */
  readonly secrets: readonly string[];
}

/** One request to an OAuth endpoint. */
export interface OAuthRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly encoding: 'json' | 'form'; readonly fields: Readonly<Record<string, string>> };
  /** How long to wait for the answer, in milliseconds. @default requestTimeoutMs */
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting. The outcome is unknown then. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer of any status, and when its request was sent. */
export interface OAuthAnswer {
  readonly url: URL;
  readonly status: number;
  /** The JSON object of the body; `undefined` if it is something else. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Whether the body was empty. */
  readonly isEmpty: boolean;
  /** Both clocks before the request was sent: a token's life counts from there. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
  readonly logId: string | undefined;
  /** When it is worth trying again, if the answer says it. */
  readonly retryAt: Date | undefined;
  /** `text` without what was secret in the request. */
  readonly clean: (text: string) => string;
}

/** No answer of these endpoints is anywhere near this. */
const MAX_BODY_BYTES = 1024 * 1024;
/** The rate limit's own word is honoured within these. */
const MIN_RESET_S = 1;
const MAX_RESET_S = 300;
const SECRET_FIELDS = [
  'client_secret',
  'client_assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'device_code',
  'token',
];
/** Shorter texts occur by chance. */
const MIN_SECRET_LENGTH = 6;
const MAX_QUOTE = 120;

const OVER = new Error('the request is over');
const TIMED_OUT = Symbol('timed out');

/** The HTTP door to the OAuth endpoints. It tells a request that surely was not sent from one whose outcome is unknown. */
export class OAuthClient {
  constructor(private readonly options: OAuthClientOptions) {}

  /** @throws OAuthFailure `ERR_FEISHU_PLATFORM_UNAVAILABLE`, with the fate `not-sent` or `unknown`, if no answer came */
  async send(request: OAuthRequest): Promise<OAuthAnswer> {
    const { clock } = this.options;
    const url = new URL(request.url);
    const startedAt = clock.now();
    const startedMonotonic = clock.monotonic();
    const clean = (text: string): string => this.withoutSecrets(text, request);
    const { response, text } = await this.exchange(request, url, clean);
    return {
      url,
      status: response.status,
      body: text === undefined ? undefined : jsonObject(text),
      isEmpty: text === '',
      startedAt,
      startedMonotonic,
      logId: response.headers.get('x-tt-logid') ?? response.headers.get('x-request-id') ?? undefined,
      retryAt: this.retryAtOf(response),
      clean,
    };
  }

  private async exchange(
    request: OAuthRequest,
    url: URL,
    clean: (text: string) => string,
  ): Promise<{ response: Response; text: string | undefined }> {
    const { clock, requestTimeoutMs } = this.options;
    const timeoutMs = request.timeoutMs ?? requestTimeoutMs;
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(OVER);
    request.signal?.addEventListener('abort', giveUp, { once: true });
    if (request.signal?.aborted) giveUp();
    const send = async (): Promise<{ response: Response; text: string | undefined }> => {
      const response = await this.options.fetch(url.href, { ...init(request), signal: controller.signal });
      return { response, text: await boundedText(response, MAX_BODY_BYTES) };
    };
    const what = `${request.method} ${url.pathname}`;
    try {
      return await withDeadline(clock, send(), timeoutMs, () => TIMED_OUT, { ref: true });
    } catch (error) {
      if (error === TIMED_OUT) throw unavailable(`${what}: no answer within ${timeoutMs} ms`, 'unknown');
      if (request.signal?.aborted) throw unavailable(`${what}: given up before an answer came`, 'unknown');
      const isUnsent = surelyNotSent(error);
      throw unavailable(
        isUnsent
          ? `${what}: ${url.host} cannot be reached; check network, proxy and domain`
          : `${what}: the connection broke before an answer came`,
        isUnsent ? 'not-sent' : 'unknown',
        cleanError(error, clean),
      );
    } finally {
      request.signal?.removeEventListener('abort', giveUp);
      giveUp();
    }
  }

  /** `x-ogw-ratelimit-reset`, else `Retry-After`: both in seconds from now. */
  private retryAtOf(response: Response): Date | undefined {
    for (const header of ['x-ogw-ratelimit-reset', 'retry-after']) {
      const seconds = Number(response.headers.get(header) || Number.NaN);
      if (!Number.isFinite(seconds)) continue;
      const clamped = Math.min(Math.max(seconds, MIN_RESET_S), MAX_RESET_S);
      return new Date(this.options.clock.now() + clamped * 1_000);
    }
    return undefined;
  }

  /** Foreign text for a message: short, on one line, and without what was secret in the request. */
  private withoutSecrets(text: string, { body, headers }: OAuthRequest): string {
    const sent = SECRET_FIELDS.map((name) => body?.fields[name] ?? '');
    const bearers = Object.values(headers ?? {}).map((value) => value.replace(/^(Bearer|Basic) /, ''));
    const secrets = [...this.options.secrets, ...sent, ...bearers].filter(
      ({ length }) => length >= MIN_SECRET_LENGTH,
    );
    const clean = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
    return clean.replaceAll(/\p{C}+/gu, ' ').slice(0, MAX_QUOTE);
  }
}

function init({ method, headers, body }: OAuthRequest): RequestInit {
  // A redirect would carry the secret to wherever it points.
  const base = { method, redirect: 'manual' as const };
  if (!body) return { ...base, headers: { ...headers } };
  const isJson = body.encoding === 'json';
  return {
    ...base,
    headers: {
      'content-type': isJson ? 'application/json; charset=utf-8' : 'application/x-www-form-urlencoded',
      ...headers,
    },
    body: isJson ? JSON.stringify(body.fields) : new URLSearchParams(body.fields).toString(),
  };
}

function unavailable(message: string, fate: 'not-sent' | 'unknown', cause?: unknown): OAuthFailure {
  return new OAuthFailure('ERR_FEISHU_PLATFORM_UNAVAILABLE', message, fate, { retryable: true, cause });
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** A foreign error may quote the request. */
function cleanError(error: unknown, clean: (text: string) => string, depth = 0): unknown {
  if (!isErrorLike(error) || depth > MAX_CAUSES) return undefined;
  const copy = new Error(clean(error.message), { cause: cleanError(error.cause, clean, depth + 1) });
  copy.name = error.name;
  return Object.assign(copy, { code: error.code });
}
