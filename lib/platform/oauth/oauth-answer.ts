import { type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { type OAuthAnswer } from './oauth-client.js';
import { meaningOfRefusal, type OAuthCodeMeaning } from './oauth-codes.js';
import { OAuthFailure, type RequestFate } from './oauth-failure.js';

/** OAuth refusals that mean "not now": worth asking again. */
const RETRYABLE: ReadonlySet<FeishuAuthErrorCode> = new Set([
  'ERR_FEISHU_PLATFORM_UNAVAILABLE',
  'ERR_FEISHU_RATE_LIMITED',
]);

/**
 * The body of a successful answer.
 *
 * @throws OAuthFailure for anything else: `refused` if Feishu says a code, `unknown` for an answer that does not come from Feishu
 */
export function successOf(answer: OAuthAnswer): Readonly<Record<string, unknown>> {
  const { body, status } = answer;
  const code = codeOf(body);
  const error = textOf(body, 'error');
  const isOk = status >= 200 && status < 300;
  if (isOk && body && error === undefined && (code === undefined || code === 0)) return body;
  if (body && (code !== undefined || error !== undefined)) throw refusal(answer, code, error);
  throw unreadable(answer);
}

/** Feishu used up the code or refresh token, and what it granted cannot be used. */
export function unusableGrant(answer: OAuthAnswer, what: string): OAuthFailure {
  return malformed(answer, what, 'spent', false);
}

/** A successful answer that lacks what the documentation promises. It may come from a proxy. */
export function malformedAnswer(answer: OAuthAnswer, what: string): OAuthFailure {
  return malformed(answer, what, 'unknown', true);
}

function malformed(answer: OAuthAnswer, what: string, fate: RequestFate, retryable: boolean): OAuthFailure {
  const details = { retryable, logId: answer.logId };
  return new OAuthFailure('ERR_FEISHU_MALFORMED_RESPONSE', `${describe(answer)}: ${what}`, fate, details);
}

/** `code` may be a number, a text, or missing. */
function codeOf(body: OAuthAnswer['body']): number | undefined {
  const code = body?.['code'];
  if (code === undefined || code === null || code === '') return undefined;
  const number = Number(code);
  return Number.isSafeInteger(number) ? number : undefined;
}

function refusal(answer: OAuthAnswer, code: number | undefined, error: string | undefined): OAuthFailure {
  const known = meaningOfRefusal(code, error);
  const isServerFault = answer.status >= 500 && known === undefined;
  // What a server says while it fails, in words that are not documented, says nothing about the request.
  const fate: RequestFate = isServerFault ? 'unknown' : 'refused';
  const meaning = answer.status === 429 ? (known ?? meaningOfRefusal(99991400, undefined)) : known;
  const said = answer.clean(textOf(answer.body, 'error_description') ?? textOf(answer.body, 'msg') ?? '');
  const name = code === undefined ? (error ?? '') : `code ${code}`;
  return new OAuthFailure(
    meaning?.error ?? 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
    `${describe(answer)}: Feishu answered ${answer.clean(name)}${said && ` ("${said}")`}: ${hintOf(meaning)}`,
    fate,
    {
      meaning,
      oauthError: error,
      feishuCode: code,
      logId: answer.logId,
      retryable: meaning === undefined || RETRYABLE.has(meaning.error),
      retryAt: answer.retryAt,
      reason: meaning?.reason,
      challengeUrl: meaning?.reaction === 'challenge' ? challengeUrlOf(answer) : undefined,
    },
  );
}

function hintOf(meaning: OAuthCodeMeaning | undefined): string {
  return meaning?.hint ?? 'a code that this module does not know';
}

function unreadable(answer: OAuthAnswer): OAuthFailure {
  const { status, logId, retryAt } = answer;
  if (status === 429) {
    const details = { retryable: true, logId, retryAt, meaning: meaningOfRefusal(99991400, undefined) };
    return new OAuthFailure(
      'ERR_FEISHU_RATE_LIMITED',
      `${describe(answer)}: asked too often`,
      'refused',
      details,
    );
  }
  const isServerFault = status >= 500;
  return new OAuthFailure(
    isServerFault ? 'ERR_FEISHU_PLATFORM_UNAVAILABLE' : 'ERR_FEISHU_MALFORMED_RESPONSE',
    `${describe(answer)}: HTTP ${status} and not the documented JSON; is the domain right, or does a proxy answer?`,
    'unknown',
    { retryable: true, logId, retryAt },
  );
}

/** Only a link that a browser may follow. */
function challengeUrlOf({ body }: OAuthAnswer): string | undefined {
  const url = textOf(body, 'challenge_url') ?? textOf(body?.['data'], 'challenge_url');
  return url !== undefined && URL.canParse(url) && new URL(url).protocol === 'https:' ? url : undefined;
}

function textOf(body: unknown, name: string): string | undefined {
  const value = (body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function describe({ url }: OAuthAnswer): string {
  return `OAuth ${url.pathname}`;
}
