import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type AppType } from './app-type.js';

/** What a Feishu code means to this module. Only the table below maps codes. */
export interface CodeMeaning {
  readonly code: FeishuAuthErrorCode;
  /** Tells the reader of the log how to fix the problem. */
  readonly hint: string;
  /** The meaning applies to store apps only. For a self-built app the code means that the credentials are wrong. */
  readonly storeAppOnly?: true;
}

const CREDENTIALS =
  'check appId and appSecret, and check that the option domain (feishu or lark) is where the app was created';
const APP_STATE = 'the app is disabled or not published; check its page in the developer console';
const AGAIN = 'a temporary fault of Feishu; the module tries again';
const TOO_OFTEN = 'too many requests';

const credentials = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED', hint });
const unavailable: CodeMeaning = { code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', hint: AGAIN };
const rateLimited = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_RATE_LIMITED', hint });
const tenant = (hint: string): CodeMeaning => ({ code: 'ERR_FEISHU_TENANT_REJECTED', hint });

const staleTicket: CodeMeaning = {
  code: 'ERR_FEISHU_APP_TICKET_MISSING',
  hint: 'the app_ticket is no longer valid; the module asks Feishu to push a new one',
  storeAppOnly: true,
};

/**
 * Feishu code -> meaning, for the token endpoints.
 *
 * Source: Feishu's generic error list, its OAuth error list, and the official CLI's classification.
 */
const MEANINGS: ReadonlyMap<number, CodeMeaning> = new Map<number, CodeMeaning>([
  // The app and its secret: these need a change of configuration.
  [10003, credentials(`${CREDENTIALS}; Feishu gives the same answer for an app that is not published`)],
  [10005, credentials(CREDENTIALS)],
  [10014, credentials(CREDENTIALS)],
  [10015, credentials('the app secret is wrong; copy it again from the developer console')],
  [10016, credentials('only a store app has an app_ticket; check the option appType')],
  [20002, credentials(CREDENTIALS)],
  [20048, credentials('the app does not exist on this domain; check appId and the option domain')],
  [20069, credentials(APP_STATE)],
  [99991543, credentials(CREDENTIALS)],
  [99991662, credentials(APP_STATE)],
  [99991673, credentials(APP_STATE)],
  [
    99991401,
    credentials(
      "this machine's public address is not in the app's IP allowlist; add it in the developer console",
    ),
  ],
  [9499, credentials(CREDENTIALS)],
  [10001, credentials(CREDENTIALS)],

  // One tenant of a store app.
  [10013, { ...tenant('the tenant has not installed the app or has stopped it'), storeAppOnly: true }],
  [20009, tenant('the tenant has not installed the app')],
  [99991665, tenant('the tenant key is wrong or the tenant has not installed the app')],

  // A store app's ticket: expired, superseded or wrong.
  [10012, staleTicket],
  [99991666, staleTicket],

  // Too many requests.
  [99991400, rateLimited(TOO_OFTEN)],
  [99991403, rateLimited("the app's monthly API quota is used up; raise it in the admin console")],
  [99991406, rateLimited('the API package is used up; raise it in the admin console')],
  [1000004, rateLimited(TOO_OFTEN)],
  [1000005, rateLimited(TOO_OFTEN)],

  // "Internal error, try again". 2200 often means too many requests.
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

/** An undocumented code counts as temporary: backoff is safe in both cases. */
const UNKNOWN: CodeMeaning = {
  code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
  hint: 'this module does not know the code; search for it in the documentation of Feishu',
};

export function meaningOf(feishuCode: number, appType: AppType): CodeMeaning {
  const meaning = MEANINGS.get(feishuCode) ?? UNKNOWN;
  return meaning.storeAppOnly && appType === 'self-built' ? credentials(CREDENTIALS) : meaning;
}

/**
 * Codes by which an API rejects the app's or tenant's token. A new token does not fix other authorization errors
 * (scopes, missing header, app state, user tokens).
 */
const TOKEN_REJECTIONS: ReadonlySet<number> = new Set([99991663, 99991664, 99991665]);

/** The same for a user's token. */
const USER_TOKEN_REJECTIONS: ReadonlySet<number> = new Set([99991668, 99991677, 20005, 20006]);

/** @internal */
export function isTokenRejection(feishuCode: unknown): boolean {
  return typeof feishuCode === 'number' && TOKEN_REJECTIONS.has(feishuCode);
}

/** @internal */
export function isUserTokenRejection(feishuCode: unknown): boolean {
  return typeof feishuCode === 'number' && USER_TOKEN_REJECTIONS.has(feishuCode);
}

/** Codes by which the tenant grant rejects its `app_access_token`. */
const APP_TOKEN_REJECTIONS: ReadonlySet<number> = new Set([99991663, 99991664]);

export function isAppTokenRejection(feishuCode: number | undefined): boolean {
  return feishuCode !== undefined && APP_TOKEN_REJECTIONS.has(feishuCode);
}

/** Returns whether the failure needs a change of configuration: it is retried once a minute, without backoff. */
export function isPermanent(code: FeishuAuthErrorCode): boolean {
  return code === 'ERR_FEISHU_CREDENTIALS_REJECTED' || code === 'ERR_FEISHU_TENANT_REJECTED';
}
