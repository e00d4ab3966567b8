import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type ReauthorizationReason } from '../errors/reauthorization-reason.js';

const WHAT_HAPPENED: Readonly<Record<ReauthorizationReason, string>> = {
  absent: 'no login of this user is stored',
  expired: 'the refresh token ended, or 365 days passed since the user agreed',
  revoked: 'Feishu revoked the refresh token',
  'outcome-lost': 'Feishu used up the refresh token, and its answer never arrived',
  'user-disabled': 'the user left, is frozen, or may not use the app',
  'logged-out': 'the user was logged out',
  'no-refresh-token':
    'the access token ended, and the login has no refresh token: add offline_access to users.scopes',
};

/** What a caller gets for a login that gives no token any more. */
export function reauthorizationRequired(
  reason: ReauthorizationReason,
  details: { readonly feishuCode?: number | undefined; readonly logId?: string | undefined } = {},
): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_REAUTHORIZATION_REQUIRED',
    `the user has to log in: ${WHAT_HAPPENED[reason]}`,
    { reason, feishuCode: details.feishuCode, logId: details.logId },
  );
}
