import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type AppType } from './app-type.js';

/** What a code of Feishu means to this module. The table below is the one place that knows. */
export interface CodeMeaning {
  readonly code: FeishuAuthErrorCode;
  /** What to tell whoever reads the log: the mend, not the platform's own words. */
  readonly hint: string;
  /** Only a store app has what this is about; from a self-built app the same code blames its credentials. */
  readonly storeAppOnly?: true;
}

const CREDENTIALS =
  'check appId and appSecret, and that the domain (feishu or lark) is the one the app lives on';
const APP_STATE = 'the app is disabled or not published: see its page in the developer console';
const AGAIN = 'a passing fault of the platform';

const credentials = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED', hint });
const unavailable: CodeMeaning = { code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', hint: AGAIN };
const rateLimited = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_RATE_LIMITED', hint });
const tenant = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_TENANT_REJECTED', hint });

const staleTicket: CodeMeaning = {
  code: 'ERR_FEISHU_APP_TICKET_MISSING',
  hint: 'the app_ticket is no longer valid',
  storeAppOnly: true,
};

/**
 * Feishu code -> meaning, for the token endpoints.
 *
 * Source: the platform's generic error list, its OAuth error list, and the official CLI's classification.
 */
const MEANINGS: ReadonlyMap<number, CodeMeaning> = new Map<number, CodeMeaning>([
  // The app and its secret: only a human can mend these.
  [10003, credentials(`${CREDENTIALS}; an app that is not published answers the same`)],
  [10005, credentials(CREDENTIALS)],
  [10014, credentials(CREDENTIALS)],
  [10015, credentials('the app secret is wrong: copy it again from the developer console')],
  [10016, credentials("only a store app has an app_ticket: is appType: 'store' right?")],
  [20002, credentials(CREDENTIALS)],
  [20048, credentials('the app does not exist on this domain')],
  [20069, credentials(APP_STATE)],
  [99991543, credentials(CREDENTIALS)],
  [99991662, credentials(APP_STATE)],
  [99991673, credentials(APP_STATE)],
  [99991401, credentials("this machine's address is not in the app's IP allowlist")],
  [9499, credentials(CREDENTIALS)],
  [10001, credentials(CREDENTIALS)],

  // One tenant of a store app.
  [10013, { ...tenant('the tenant has not installed the app, or has stopped it'), storeAppOnly: true }],
  [20009, tenant('the tenant has not installed the app')],
  [99991665, tenant('the tenant key is wrong, or the tenant has not installed the app')],

  // A store app's ticket: used up, superseded, or never right.
  [10012, staleTicket],
  [99991666, staleTicket],

  // Asked too often.
  [99991400, rateLimited('asked too often')],
  [99991403, rateLimited("the app's monthly API quota is used up")],
  [99991406, rateLimited('the API package is used up')],
  [1000004, rateLimited('asked too often')],
  [1000005, rateLimited('asked too often')],

  // "Internal error, try again": 2200 usually means too often as well.
  [2200, unavailable],
  [1500, unavailable],
  [1642, unavailable],
  [1663, unavailable],
  [1668, unavailable],
  [5000, unavailable],
  [10101, unavailable],
  [10500, unavailable],
  [20050, unavailable],
  [20072, unavailable],
  [99991644, unavailable],
]);

/** A code that nobody has written down is taken as passing: backing off is right for either kind. */
const UNKNOWN: CodeMeaning = {
  code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
  hint: 'a code this module does not know',
};

export function meaningOf(feishuCode: number, appType: AppType): CodeMeaning {
  const meaning = MEANINGS.get(feishuCode) ?? UNKNOWN;
  return meaning.storeAppOnly && appType === 'self-built' ? credentials(CREDENTIALS) : meaning;
}

/**
 * Codes by which an API rejects the app's or tenant's token itself. Everything else about authorization (scopes,
 * missing header, app state, user tokens) is not mended by another token.
 */
const TOKEN_REJECTIONS: ReadonlySet<number> = new Set([99991663, 99991664, 99991665]);

/** @internal */
export function isTokenRejection(feishuCode: unknown): boolean {
  return typeof feishuCode === 'number' && TOKEN_REJECTIONS.has(feishuCode);
}

/** Codes by which the tenant grant rejects the `app_access_token` it was given. */
const APP_TOKEN_REJECTIONS: ReadonlySet<number> = new Set([99991663, 99991664]);

export function isAppTokenRejection(feishuCode: number | undefined): boolean {
  return feishuCode !== undefined && APP_TOKEN_REJECTIONS.has(feishuCode);
}

/** Whether the failure needs a human: retried once a minute, not by backoff. */
export function isPermanent(code: FeishuAuthErrorCode): boolean {
  return code === 'ERR_FEISHU_CREDENTIALS_REJECTED' || code === 'ERR_FEISHU_TENANT_REJECTED';
}
